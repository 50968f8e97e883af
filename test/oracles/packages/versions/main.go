// The version oracle: reads lines {"ecosystem","a","b"} and answers each with how the two versions compare in the ecosystem,
// as OSV-SCALIBR has it.
package main

import (
	"bufio"
	"encoding/json"
	"os"

	"github.com/google/osv-scalibr/semantic"
)

type question struct {
	Ecosystem string `json:"ecosystem"`
	A         string `json:"a"`
	B         string `json:"b"`
}

type answer struct {
	Order *int   `json:"order"`
	Error string `json:"error,omitempty"`
}

func compare(q question) answer {
	a, err := semantic.Parse(q.A, q.Ecosystem)
	if err != nil {
		return answer{Error: err.Error()}
	}
	order, err := a.CompareStr(q.B)
	if err != nil {
		return answer{Error: err.Error()}
	}
	return answer{Order: &order}
}

func main() {
	lines := bufio.NewScanner(os.Stdin)
	lines.Buffer(make([]byte, 1<<20), 1<<24)
	out := bufio.NewWriter(os.Stdout)
	defer out.Flush()
	encoder := json.NewEncoder(out)
	for lines.Scan() {
		var q question
		if err := json.Unmarshal(lines.Bytes(), &q); err != nil {
			panic(err)
		}
		if err := encoder.Encode(compare(q)); err != nil {
			panic(err)
		}
	}
}
