// The CEL oracle: reads lines {"expression","variables"} and answers each with the value of the expression as cel-go gives it, in the
// environment of Kyverno's policies: the base environment of Kubernetes and the extension libraries beside it.
package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"math"
	"os"
	"sort"
	"strings"
	"time"

	"github.com/google/cel-go/cel"
	"github.com/google/cel-go/common/types"
	"github.com/google/cel-go/common/types/ref"
	"github.com/google/cel-go/common/types/traits"
	"github.com/google/cel-go/ext"
	kubejson "k8s.io/apimachinery/pkg/util/json"
	"k8s.io/apiserver/pkg/cel/library"
)

type question struct {
	Expression string
	Variables  map[string]any
}

type answer struct {
	Type  string `json:"type,omitempty"`
	Value string `json:"value,omitempty"`
	Stage string `json:"stage,omitempty"`
	Error string `json:"error,omitempty"`
}

func environment() *cel.Env {
	env, err := cel.NewEnv(
		cel.HomogeneousAggregateLiterals(),
		cel.EagerlyValidateDeclarations(true),
		cel.DefaultUTCTimeZone(true),
		cel.CrossTypeNumericComparisons(true),
		cel.OptionalTypes(),
		ext.Bindings(),
		ext.Encoders(),
		ext.Lists(ext.ListsVersion(3)),
		ext.Math(),
		ext.Sets(),
		ext.Strings(ext.StringsVersion(2)),
		ext.Regex(ext.RegexVersion(1)),
		ext.TwoVarComprehensions(),
		library.CIDR(),
		library.Format(),
		library.IP(),
		library.Lists(),
		library.Regex(),
		library.URLs(),
		library.Quantity(),
		library.SemverLib(library.SemverVersion(1)),
		cel.ASTValidators(
			cel.ValidateDurationLiterals(),
			cel.ValidateTimestampLiterals(),
			cel.ValidateRegexLiterals(),
			cel.ValidateHomogeneousAggregateLiterals(),
		),
		cel.Variable("object", cel.DynType),
		cel.Variable("strings", cel.MapType(cel.StringType, cel.ListType(cel.StringType))),
		cel.Variable("i", cel.IntType),
		cel.Variable("u", cel.UintType),
		cel.Variable("d", cel.DoubleType),
		cel.Variable("s", cel.StringType),
		cel.Variable("b", cel.BoolType),
	)
	if err != nil {
		panic(err)
	}
	return env
}

// show writes a value so that both sides can write it alike: with the type of every part, and maps in order.
func show(value ref.Val) string {
	switch typed := value.(type) {
	case types.Null:
		return "null"
	case types.Bool:
		return fmt.Sprintf("%t", bool(typed))
	case types.Int:
		return fmt.Sprintf("%d", int64(typed))
	case types.Uint:
		return fmt.Sprintf("%du", uint64(typed))
	case types.Double:
		if math.IsNaN(float64(typed)) {
			return "double NaN"
		}
		return fmt.Sprintf("double %016x", math.Float64bits(float64(typed)))
	case types.String:
		return quoted(string(typed))
	case types.Bytes:
		return fmt.Sprintf("bytes %x", []byte(typed))
	case types.Timestamp:
		return "timestamp " + typed.Time.UTC().Format(time.RFC3339Nano)
	case types.Duration:
		return fmt.Sprintf("duration %d", typed.Duration.Nanoseconds())
	case *types.Optional:
		if !typed.HasValue() {
			return "optional.none"
		}
		return "optional " + show(typed.GetValue())
	case *types.Type:
		return "type " + typed.TypeName()
	case traits.Lister:
		parts := []string{}
		for it := typed.Iterator(); it.HasNext() == types.True; {
			parts = append(parts, show(it.Next()))
		}
		return "[" + strings.Join(parts, ",") + "]"
	case traits.Mapper:
		parts := []string{}
		for it := typed.Iterator(); it.HasNext() == types.True; {
			key := it.Next()
			parts = append(parts, show(key)+":"+show(typed.Get(key)))
		}
		sort.Strings(parts)
		return "{" + strings.Join(parts, ",") + "}"
	}
	return value.Type().TypeName()
}

func quoted(text string) string {
	var out strings.Builder
	encoder := json.NewEncoder(&out)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(text); err != nil {
		panic(err)
	}
	return strings.TrimSpace(out.String())
}

func judge(env *cel.Env, q question) (result answer) {
	defer func() {
		if broken := recover(); broken != nil {
			result = answer{Stage: "panic", Error: fmt.Sprint(broken)}
		}
	}()
	ast, issues := env.Compile(q.Expression)
	if issues != nil && issues.Err() != nil {
		return answer{Stage: "compile", Error: issues.Err().Error()}
	}
	program, err := env.Program(ast, cel.CostLimit(10_000_000))
	if err != nil {
		return answer{Stage: "compile", Error: err.Error()}
	}
	value, _, err := program.Eval(q.Variables)
	if err != nil {
		return answer{Type: ast.OutputType().String(), Stage: "eval", Error: err.Error()}
	}
	return answer{Type: ast.OutputType().String(), Value: show(value)}
}

// variables are what expressions may name, beside what a question brings.
func variables(given map[string]any) map[string]any {
	all := map[string]any{
		"i": int64(7),
		"u": uint64(7),
		"d": 1.5,
		"s": "text",
		"b": true,
		"strings": map[string]any{"a": []any{"x", "y"}, "b": []any{}},
		"object": map[string]any{},
	}
	for name, value := range given {
		all[name] = value
	}
	return all
}

func main() {
	env := environment()
	lines := bufio.NewScanner(os.Stdin)
	lines.Buffer(nil, 64<<20)
	out := json.NewEncoder(os.Stdout)
	for lines.Scan() {
		var raw map[string]any
		if err := kubejson.Unmarshal(lines.Bytes(), &raw); err != nil {
			panic(err)
		}
		given, _ := raw["variables"].(map[string]any)
		q := question{Expression: raw["expression"].(string), Variables: variables(given)}
		if err := out.Encode(judge(env, q)); err != nil {
			panic(err)
		}
	}
}
