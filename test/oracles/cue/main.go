// The CUE oracle: reads lines {"policy","input"} and answers each with {"ok"} or {"error"}, as cosign would judge.
package main

import (
	"bufio"
	"encoding/json"
	"os"

	"cuelang.org/go/cue/cuecontext"
	cuejson "cuelang.org/go/encoding/json"
)

type question struct {
	Policy string `json:"policy"`
	Input  string `json:"input"`
}

type answer struct {
	OK    bool   `json:"ok"`
	Stage string `json:"stage,omitempty"`
	Error string `json:"error,omitempty"`
}

func judge(q question) answer {
	value := cuecontext.New().CompileString(q.Policy)
	if err := value.Err(); err != nil {
		return answer{Stage: "compile", Error: err.Error()}
	}
	if err := cuejson.Validate([]byte(q.Input), value); err != nil {
		return answer{Stage: "validate", Error: err.Error()}
	}
	return answer{OK: true}
}

func main() {
	lines := bufio.NewScanner(os.Stdin)
	lines.Buffer(nil, 64<<20)
	out := json.NewEncoder(os.Stdout)
	for lines.Scan() {
		var q question
		if err := json.Unmarshal(lines.Bytes(), &q); err != nil {
			panic(err)
		}
		if err := out.Encode(judge(q)); err != nil {
			panic(err)
		}
	}
}
