// The package URL oracle: reads lines {"purl"} and answers each with its parts, as packageurl-go has them.
package main

import (
	"bufio"
	"encoding/json"
	"os"

	"github.com/package-url/packageurl-go"
)

type question struct {
	Purl string `json:"purl"`
}

type answer struct {
	Type       string            `json:"type"`
	Namespace  string            `json:"namespace"`
	Name       string            `json:"name"`
	Version    string            `json:"version"`
	Qualifiers map[string]string `json:"qualifiers"`
	Subpath    string            `json:"subpath"`
	Error      string            `json:"error,omitempty"`
}

func parse(q question) answer {
	purl, err := packageurl.FromString(q.Purl)
	if err != nil {
		return answer{Error: err.Error()}
	}
	return answer{
		Type: purl.Type, Namespace: purl.Namespace, Name: purl.Name, Version: purl.Version,
		Qualifiers: purl.Qualifiers.Map(), Subpath: purl.Subpath,
	}
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
		if err := encoder.Encode(parse(q)); err != nil {
			panic(err)
		}
	}
}
