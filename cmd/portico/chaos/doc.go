// Package chaos breaks Portico and looks whether it kept its promises. The real
// program, in several processes, runs on a real PostgreSQL and the partners'
// fakes; clients order, fulfil and remember what they were told; processes are
// killed, links are cut and partners answer wrongly, in an order that a seed
// decides; and the fakes' own record of what arrived is the judge.
//
// There is nothing but tests in it. What one of them has found once is found
// again by its seed, as far as a machine's timing allows:
//
//	go test ./cmd/portico/chaos -run TestChaos -count=1 -v -args -chaos 4m -seed 7
//
// Without -chaos the same suite takes half a minute: fewer faults, fewer processes.
package chaos
