// The Rego oracle: reads lines {"policy","input","query"} and answers each with the values of the query, as OPA gives them
// for Rego v0.
package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"os"

	"github.com/open-policy-agent/opa/v1/ast"
	"github.com/open-policy-agent/opa/v1/rego"
)

type question struct {
	Policy string `json:"policy"`
	Input  string `json:"input"`
	Query  string `json:"query"`
}

type answer struct {
	OK     bool   `json:"ok"`
	Values []any  `json:"values"`
	Stage  string `json:"stage,omitempty"`
	Error  string `json:"error,omitempty"`
}

func judge(q question) answer {
	ctx := context.Background()
	query, err := rego.New(
		rego.Query(q.Query),
		rego.Module("policy.rego", q.Policy),
		rego.SetRegoVersion(ast.RegoV0),
		rego.StrictBuiltinErrors(false),
	).PrepareForEval(ctx)
	if err != nil {
		return answer{Stage: "compile", Error: err.Error()}
	}
	var input any
	decoder := json.NewDecoder(bytes.NewBufferString(q.Input))
	decoder.UseNumber()
	if err := decoder.Decode(&input); err != nil {
		return answer{Stage: "input", Error: err.Error()}
	}
	results, err := query.Eval(ctx, rego.EvalInput(input))
	if err != nil {
		return answer{Stage: "eval", Error: err.Error()}
	}
	values := []any{}
	for _, result := range results {
		for _, expression := range result.Expressions {
			values = append(values, expression.Value)
		}
	}
	return answer{OK: results.Allowed(), Values: values}
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
