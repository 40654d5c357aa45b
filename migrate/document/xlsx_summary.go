package document

import "fmt"

// summary writes the first sheet.
func (b *book) summary() error {
	s, err := b.open(0, []int{40, 60, 60}, false)
	if err != nil {
		return err
	}
	s.row(titleLook, textCell(b.d.Title))
	if b.d.Subtitle != "" {
		s.row(plainLook, textCell(b.d.Subtitle))
	}
	if b.d.Draft != "" {
		s.row(badLook, textCell(b.texts.Text("draft")), textCell(b.d.Draft), cell{})
	}
	s.row(factLook, textCell(b.texts.Text("xlsx_made")), b.time(b.d.Made))
	s.row(factLook, textCell(b.texts.Text("xlsx_zone")), textCell(b.zone.String()))
	for _, section := range b.d.Sections {
		if err := b.section(s, section); err != nil {
			return err
		}
	}
	s.next++
	s.row(headLook, textCell(b.texts.Text("xlsx_sheet")), textCell(b.texts.Text("xlsx_rows")), cell{})
	for _, e := range b.sheets[1:] {
		s.row(factLook, textCell(e.name), countCell(e.rows), textCell(e.note))
	}
	return s.close(0)
}

// section writes the figures and notices of a section, under its title if it
// has any.
func (b *book) section(s *sheet, section Section) error {
	begun := false
	row := func(look look, cells ...cell) {
		if !begun {
			begun = true
			s.next++
			s.row(sectionLook, textCell(section.Title), cell{}, cell{})
		}
		s.row(look, cells...)
	}
	for _, block := range section.Blocks {
		switch block := block.(type) {
		case Notice:
			mood, sign := Mood(block.Mood.class()), ""
			if mood != Neutral {
				sign = b.texts.Text(string(mood)) // not by the colour alone
			}
			row(noticeLooks[mood], textCell(sign), textCell(block.Text), cell{})
		case Figures:
			for _, f := range block.Facts {
				value, err := b.cell(f.Value)
				if err != nil {
					return fmt.Errorf("document: %s: %s: %w", block.Key, f.Key, err)
				}
				row(factLook, textCell(b.withUnit(f.Label, f.Value)), value, textCell(f.Note))
			}
		}
	}
	return nil
}
