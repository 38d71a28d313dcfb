-- +goose Up

-- What cannot be undone at a partner is done once for a form, however often the
-- browser sends it.
CREATE UNIQUE INDEX audits_form_key ON audits ((data ->> 'form'));
