package dbtest

import "testing"

func TestWithDatabase(t *testing.T) {
	t.Parallel()
	tests := []struct{ address, want string }{
		{"postgres://u:p@db.example:5433/app?sslmode=require", "postgres://u:p@db.example:5433/other?sslmode=require"},
		{"postgres://u@/app?host=%2Ftmp%2Fpg&port=5432", "postgres://u@/other?host=%2Ftmp%2Fpg&port=5432"},
		{"postgres://db.example", "postgres://db.example/other"},
		{"host=/tmp/pg user=u dbname=app", "host=/tmp/pg user=u dbname=app dbname=other"},
	}
	for _, test := range tests {
		if got := withDatabase(test.address, "other"); got != test.want {
			t.Errorf("%s: got %s, want %s", test.address, got, test.want)
		}
	}
}
