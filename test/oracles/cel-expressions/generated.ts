/** Expressions that are generated. @module */
import fc from 'fast-check'

const pick = fc.constantFrom
const scalar = pick(
  '1',
  '2',
  '-3',
  '7u',
  '1.5',
  '0.0',
  '"a"',
  '"ab"',
  '""',
  'true',
  'false',
  'null',
  'b"x"',
  'dyn(1)',
  'dyn("a")',
)
const variable = pick(
  'i',
  'u',
  'd',
  's',
  'b',
  'strings',
  'object',
  'object.metadata',
  'object.metadata.name',
  'object.metadata.labels',
  'object.spec.replicas',
  'object.spec.containers',
  'object.spec.containers[0].image',
  'object.spec.missing',
  'strings.a',
  'x',
  'y',
)

const { term } = fc.letrec<{ term: string }>((tie) => ({
  term: fc.oneof(
    { depthSize: 'small', maxDepth: 4 },
    scalar,
    variable,
    fc
      .tuple(
        tie('term'),
        pick('+', '-', '*', '/', '%', '==', '!=', '<', '<=', '>', '>=', '&&', '||', 'in'),
        tie('term'),
      )
      .map(([a, op, c]) => `(${a} ${op} ${c})`),
    fc.tuple(pick('!', '-'), tie('term')).map(([op, a]) => `${op}(${a})`),
    fc.tuple(tie('term'), tie('term'), tie('term')).map(([a, c, e]) => `(${a} ? ${c} : ${e})`),
    fc.array(tie('term'), { maxLength: 3 }).map((items) => `[${items.join(', ')}]`),
    fc
      .uniqueArray(fc.tuple(pick('"a"', '"b"', '1', 'true'), tie('term')), { maxLength: 2, selector: ([key]) => key })
      .map((items) => `{${items.map(([k, v]) => `${k}: ${v}`).join(', ')}}`),
    fc
      .tuple(
        tie('term'),
        pick(
          '.a',
          '.name',
          '.?a',
          '["a"]',
          '[0]',
          '[?0]',
          '[?"a"]',
          '.size()',
          '.orValue(1)',
          '.hasValue()',
          '.value()',
        ),
      )
      .map(([a, rest]) => `${a}${rest}`),
    fc
      .tuple(
        pick(
          'size',
          'dyn',
          'int',
          'uint',
          'double',
          'string',
          'bytes',
          'bool',
          'optional.of',
          'optional.ofNonZeroValue',
          'math.abs',
          'base64.encode',
        ),
        tie('term'),
      )
      .map(([name, a]) => `${name}(${a})`),
    tie('term')
      .filter((a) => !a.startsWith('has('))
      .map((a) => `has(${a}.name)`),
    fc
      .tuple(tie('term'), pick('all', 'exists', 'exists_one', 'map', 'filter', 'sortBy'), pick('x', 'y'), tie('term'))
      .map(([a, loop, name, body]) => `(${a}).${loop}(${name}, ${body})`),
    fc
      .tuple(tie('term'), pick('all', 'exists', 'existsOne', 'transformList', 'transformMap'), tie('term'))
      .map(([a, loop, body]) => `(${a}).${loop}(x, y, ${body})`),
    fc
      .tuple(
        tie('term'),
        pick('startsWith', 'contains', 'endsWith', 'matches', 'indexOf', 'lastIndexOf', 'split', 'join', 'find', 'or'),
        tie('term'),
      )
      .map(([a, name, c]) => `(${a}).${name}(${c})`),
    fc
      .tuple(
        tie('term'),
        pick('sort', 'distinct', 'reverse', 'sum', 'max', 'isSorted', 'flatten', 'lowerAscii', 'trim', 'first'),
      )
      .map(([a, name]) => `(${a}).${name}()`),
    fc
      .tuple(pick('x', 'y'), tie('term'), tie('term'))
      .map(([name, value, body]) => `cel.bind(${name}, ${value}, ${body})`),
    fc
      .tuple(pick('"%s"', '"%d-%s"', '"%x"'), fc.array(tie('term'), { maxLength: 2 }))
      .map(([format, items]) => `${format}.format([${items.join(', ')}])`),
  ),
}))

/** Expressions of which a good part have a value. */
export const celExpression: fc.Arbitrary<string> = fc.oneof(
  term,
  term.map((body) => `cel.bind(x, dyn(1), cel.bind(y, dyn("a"), ${body}))`),
  term.map((body) => `[1, 2, 3].map(x, cel.bind(y, "a", ${body}))`),
  term.map((body) => `{"a": 1, "b": 2}.map(x, cel.bind(y, dyn([1, "a"]), ${body}))`),
)
