package main

import (
	"bytes"
	"context"
	"flag"
	"image"
	"image/color"
	"image/draw"
	"image/png"
	"os"
	"path/filepath"

	"github.com/chromedp/chromedp"
)

var readme = flag.Bool("readme", false, "write the README's picture anew")

// drawReadme writes the picture of the README: what the broker sees on a phone,
// and the same order's workspace beside it.
func (s *scene) drawReadme(broker, staff *tab) {
	s.t.Helper()
	s.settle()
	const gap, height = 36, 880
	broker.open(s.reopen(s.waiting))
	phone := broker.capture(look{name: "README", width: 400, height: height, scheme: "light"})
	s.logIn(staff)
	staff.open(s.portal + "/staff/orders/" + s.waiting.public)
	desk := staff.capture(look{name: "README", width: 1240, height: height, scheme: "light"})

	canvas := image.NewRGBA(image.Rect(0, 0, 3*gap+phone.Bounds().Dx()+desk.Bounds().Dx(), 2*gap+height))
	draw.Draw(canvas, canvas.Bounds(), image.NewUniform(color.RGBA{0xd9, 0xdd, 0xd8, 0xff}), image.Point{}, draw.Src)
	hang(canvas, phone, image.Pt(gap, gap))
	hang(canvas, desk, image.Pt(2*gap+phone.Bounds().Dx(), gap))
	var b bytes.Buffer
	s.check((&png.Encoder{CompressionLevel: png.BestCompression}).Encode(&b, canvas))
	if b.Len() > 300<<10 {
		s.t.Errorf("the README's picture has %d kB", b.Len()>>10)
	}
	s.check(os.WriteFile(filepath.Join("testdata", "readme.png"), b.Bytes(), 0o644))
}

// capture takes a picture of what fits on the screen.
func (b *tab) capture(l look) image.Image {
	b.t.Helper()
	b.as(l)
	var picture []byte
	b.do("take a picture", chromedp.Func(func(ctx context.Context, t *chromedp.Target) (err error) {
		picture, err = chromedp.CaptureScreenshot()(ctx, t)
		return err
	}))
	m, err := png.Decode(bytes.NewReader(picture))
	if err != nil {
		b.t.Fatal(err)
	}
	return m
}

// hang draws a picture with round corners.
func hang(canvas draw.Image, m image.Image, at image.Point) {
	const radius = 14
	box := m.Bounds()
	for y := range box.Dy() {
		for x := range box.Dx() {
			dx := max(radius-x, x-(box.Dx()-1-radius), 0)
			dy := max(radius-y, y-(box.Dy()-1-radius), 0)
			if dx*dx+dy*dy <= radius*radius {
				canvas.Set(at.X+x, at.Y+y, m.At(x, y))
			}
		}
	}
}
