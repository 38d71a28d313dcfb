package vitectest

import (
	"slices"
	"strconv"
	"strings"
)

// Person is somebody whom leads are about.
type Person struct {
	ID     string
	Number string // the digits of a personal number
	Name   string
	Ways   []string // how to reach the person
}

// person returns the id of a lead's person, who is new unless there is one with
// the same personal number, or with the same name and an address or telephone
// number in common (assumed: no page says what is compared). s.mu is held.
func (s *Server) person(in leadIn) string {
	p := Person{Number: plain(in.SocialSecurityNumber), Name: plain(in.FirstName + in.LastName)}
	for _, way := range []string{in.Email.EmailAddress, in.Email.EmailAddress2, in.Telephone.Home, in.Telephone.Work, in.Telephone.Cell, in.Telephone.Other} {
		if way != "" {
			p.Ways = append(p.Ways, plain(way))
		}
	}
	for i := range s.state.Persons {
		if known := &s.state.Persons[i]; known.is(p) {
			known.Ways = append(known.Ways, p.Ways...)
			return known.ID
		}
	}
	p.ID = "P" + strconv.Itoa(7001+len(s.state.Persons))
	s.state.Persons = append(s.state.Persons, p)
	return p.ID
}

func (p Person) is(other Person) bool {
	if p.Number != "" && other.Number != "" {
		return p.Number == other.Number
	}
	return p.Name == other.Name && slices.ContainsFunc(other.Ways, func(way string) bool { return slices.Contains(p.Ways, way) })
}

// plain returns a text as it is compared.
func plain(s string) string {
	return strings.Map(func(r rune) rune {
		if strings.ContainsRune(" -()", r) {
			return -1
		}
		return r
	}, strings.ToLower(s))
}
