// The Kyverno oracle: reads lines {"kind","source","data"} and answers each with what Kyverno's own code makes of it: a JMESPath
// expression, a value with variables, conditions, or the failures of a refusal, written as its webhook writes them.
package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"os"

	"github.com/go-logr/logr"
	kyvernov1 "github.com/kyverno/kyverno/api/kyverno/v1"
	"github.com/kyverno/kyverno/pkg/config"
	enginecontext "github.com/kyverno/kyverno/pkg/engine/context"
	"github.com/kyverno/kyverno/pkg/engine/jmespath"
	"github.com/kyverno/kyverno/pkg/engine/variables"
	"go.yaml.in/yaml/v3"
)

type question struct {
	Kind   string          `json:"kind"`
	Source json.RawMessage `json:"source"`
	Data   map[string]any  `json:"data"`
}

type answer struct {
	Value any    `json:"value"`
	Error string `json:"error,omitempty"`
}

var queries = jmespath.New(config.NewDefaultConfiguration(false))

func judge(q question) (a answer) {
	defer func() {
		if problem := recover(); problem != nil {
			a = answer{Error: fmt.Sprint("panic: ", problem)}
		}
	}()
	value, err := valueOf(q)
	if err != nil {
		return answer{Error: err.Error()}
	}
	return answer{Value: value}
}

func valueOf(q question) (any, error) {
	ctx := enginecontext.NewContext(queries)
	for name, value := range q.Data {
		if err := ctx.AddVariable(name, value); err != nil {
			return nil, err
		}
	}
	switch q.Kind {
	case "expression":
		var source string
		if err := json.Unmarshal(q.Source, &source); err != nil {
			return nil, err
		}
		return ctx.Query(source)
	case "template":
		var source any
		if err := json.Unmarshal(q.Source, &source); err != nil {
			return nil, err
		}
		return variables.SubstituteAll(logr.Discard(), ctx, source)
	case "failures":
		var failures map[string]map[string]string
		if err := json.Unmarshal(q.Source, &failures); err != nil {
			return nil, err
		}
		var text bytes.Buffer
		encoder := yaml.NewEncoder(&text)
		encoder.SetIndent(2)
		err := encoder.Encode(failures)
		return text.String(), err
	default:
		var source []kyvernov1.AnyAllConditions
		if err := json.Unmarshal(q.Source, &source); err != nil {
			return nil, err
		}
		met, _, err := variables.EvaluateAnyAllConditions(logr.Discard(), ctx, source)
		return met, err
	}
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
		// What has no text in JSON (NaN) is no answer.
		if err := out.Encode(judge(q)); err != nil {
			_ = out.Encode(answer{Error: err.Error()})
		}
	}
}
