import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { isCodedError } from '#errors'
import { fuzzRuns } from '#testing/fuzz'
import { parseFulcioConfig } from './parse-config.js'
import { parseTemplate } from './template.js'

const issuer = (fields: Readonly<Record<string, unknown>>, url = 'https://accounts.example.com'): string =>
  JSON.stringify({
    'oidc-issuers': { [url]: { 'issuer-url': url, 'client-id': 'sigstore', type: 'email', ...fields } },
  })

test('reads YAML, and JSON in either spelling', async () => {
  const yaml = await parseFulcioConfig(
    'oidc-issuers:\n  https://a.example.com:\n    issuer-url: https://a.example.com\n    client-id: x\n    type: email\n    contact: me\n',
  )
  assert.equal(yaml.issuers.get('https://a.example.com')?.clientId, 'x')
  const json = await parseFulcioConfig(
    '{"OIDCIssuers":{"https://a.example.com":{"IssuerURL":"https://a.example.com","ClientID":"x","Type":"spiffe","SPIFFETrustDomain":"example.com"}}}',
  )
  assert.equal(json.issuers.get('https://a.example.com')?.spiffeTrustDomain, 'example.com')
})

test('accepts subject domains of the issuer’s own domain', async () => {
  for (const domain of ['https://example.com', 'https://users.example.com', 'https://accounts.example.com']) {
    await parseFulcioConfig(issuer({ type: 'uri', 'subject-domain': domain }))
    await parseFulcioConfig(issuer({ type: 'username', 'subject-domain': domain.slice(8) }))
  }
})

const REFUSED: readonly (readonly [name: string, config: string, code: string])[] = [
  ['no YAML', 'a: [', 'FULCIO_CONFIG_FORMAT'],
  ['a list', '- a', 'FULCIO_CONFIG_FORMAT'],
  ['nothing', '', 'FULCIO_CONFIG_FORMAT'],
  ['issuers that are a list', 'oidc-issuers: [a]', 'FULCIO_CONFIG_FORMAT'],
  ['an issuer that is text', 'oidc-issuers: {"https://a.b": x}', 'FULCIO_CONFIG_ISSUER'],
  ['an unknown type', issuer({ type: 'magic' }), 'FULCIO_CONFIG_ISSUER'],
  ['the type __proto__', issuer({ type: '__proto__' }), 'FULCIO_CONFIG_ISSUER'],
  ['no type', issuer({ type: undefined }), 'FULCIO_CONFIG_ISSUER'],
  ['no audience', issuer({ 'client-id': '' }), 'FULCIO_CONFIG_ISSUER'],
  ['an audience of a number', issuer({ 'client-id': 7 }), 'FULCIO_CONFIG_ISSUER'],
  ['an issuer under another key', issuer({ 'issuer-url': 'https://other.example.com' }), 'FULCIO_CONFIG_ISSUER'],
  ['an issuer that is no URL', issuer({}, 'accounts'), 'FULCIO_CONFIG_ISSUER'],
  ['a claim path that is an expression', issuer({ 'issuer-claim': '$..x' }), 'FULCIO_CONFIG_ISSUER'],
  ['a claim path of another type', issuer({ type: 'kubernetes', 'issuer-claim': '$.x' }), 'FULCIO_CONFIG_ISSUER'],
  ['spiffe without trust domain', issuer({ type: 'spiffe' }), 'FULCIO_CONFIG_ISSUER'],
  ['spiffe with a bad trust domain', issuer({ type: 'spiffe', 'spiffe-trust-domain': 'a b' }), 'FULCIO_CONFIG_ISSUER'],
  ['uri without domain', issuer({ type: 'uri' }), 'FULCIO_CONFIG_ISSUER'],
  ['uri with a bare domain', issuer({ type: 'uri', 'subject-domain': 'example.com' }), 'FULCIO_CONFIG_ISSUER'],
  ['uri with another scheme', issuer({ type: 'uri', 'subject-domain': 'http://example.com' }), 'FULCIO_CONFIG_ISSUER'],
  ['uri with another domain', issuer({ type: 'uri', 'subject-domain': 'https://evil.org' }), 'FULCIO_CONFIG_ISSUER'],
  [
    'username with a scheme',
    issuer({ type: 'username', 'subject-domain': 'https://example.com' }),
    'FULCIO_CONFIG_ISSUER',
  ],
  [
    'username with another domain',
    issuer({ type: 'username', 'subject-domain': 'evilexample.com' }),
    'FULCIO_CONFIG_ISSUER',
  ],
  ['a CA certificate that is none', issuer({ 'ca-cert': 'pem' }), 'FULCIO_CONFIG_ISSUER'],
  ['skip-email-verification of text', issuer({ 'skip-email-verification': 'yes' }), 'FULCIO_CONFIG_ISSUER'],
  ['a CI provider that is not described', issuer({ type: 'ci-provider', 'ci-provider': 'x' }), 'FULCIO_CONFIG_ISSUER'],
  [
    'a spiffe wildcard',
    '{"meta-issuers":{"https://*.example.com":{"client-id":"a","type":"spiffe"}}}',
    'FULCIO_CONFIG_ISSUER',
  ],
  ['a wildcard for everything', '{"meta-issuers":{"*":{"client-id":"a","type":"kubernetes"}}}', 'FULCIO_CONFIG_ISSUER'],
  ['a CI provider without name template', '{"ci-issuer-metadata":{"x":{}}}', 'FULCIO_CONFIG_ISSUER'],
  [
    'an unknown extension',
    '{"ci-issuer-metadata":{"x":{"subject-alternative-name-template":"a","extension-templates":{"magic":"a"}}}}',
    'FULCIO_CONFIG_ISSUER',
  ],
  [
    'a template that cannot be read',
    '{"ci-issuer-metadata":{"x":{"subject-alternative-name-template":"{{ .a"}}}',
    'FULCIO_CONFIG_TEMPLATE',
  ],
]
for (const [name, config, code] of REFUSED) {
  test(`refuses ${name}`, async () => {
    await assert.rejects(parseFulcioConfig(config), { code })
  })
}

const values = new Map(Object.entries({ a: '1', b: '2', 'x.y/z': '3', yes: 'true' }))
const TEMPLATES: readonly (readonly [source: string, result: string | undefined])[] = [
  ['a', '1'],
  ['missing', undefined],
  ['{{.a}}', '1'],
  ['{{ .a }}-{{ .b }}', '1-2'],
  ['{{ .missing }}', undefined],
  ['{{(index . "x.y/z")}}', '3'],
  ['{{ index . "missing" }}', ''],
  ['{{ index . `x.y/z` }}', '3'],
  ['{{if eq .a "1"}}one{{ else }}other{{end}}', 'one'],
  ['{{if eq .a "2"}}one{{ else }}{{ .b }}{{end}}!', '2!'],
  ['{{if eq .a .b}}same{{end}}', ''],
  ['{{if eq (index . "yes") "true"}}ssh{{ else }}""{{end}}', 'ssh'],
  ['{{if eq .missing "x"}}a{{end}}', undefined],
  ['{{if eq .a "1"}}{{if eq .b "2"}}both{{end}}{{else}}{{ .missing }}{{end}}', 'both'],
]
for (const [source, result] of TEMPLATES) {
  test(`${source} gives ${result ?? 'nothing'}`, () => {
    assert.equal(parseTemplate(source)(values), result)
  })
}

const BAD_TEMPLATES = [
  '{{',
  '{{}}',
  '{{ a }}',
  '{{ .a.b }}',
  '{{ end }}',
  '{{ else }}',
  '{{ if eq .a .b }}',
  '{{ if .a }}x{{ end }}',
  '{{ if eq .a }}x{{ end }}',
  '{{ if eq .a .b .a }}x{{ end }}',
  '{{ printf "%s" .a }}',
  '{{ .a | upper }}',
  '{{ range . }}x{{ end }}',
  '{{ template "x" }}',
  '{{ (index . "a" }}',
  '{{ if eq .a "x }}y{{ end }}',
  '{{- .a -}}',
  '{{ $x := .a }}',
]
for (const source of BAD_TEMPLATES) {
  test(`refuses the template ${source}`, () => {
    assert.throws(() => parseTemplate(source), { code: 'FULCIO_CONFIG_TEMPLATE' })
  })
}

test('any text is a template or a coded error', () => {
  const piece = fc.oneof(
    fc.string(),
    fc.constantFrom('{{', '}}', ' .a ', 'if eq ', 'else', 'end', '(', ')', '"', 'index . "a"'),
  )
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 12 }), (pieces) => {
      try {
        const result = parseTemplate(pieces.join(''))(values)
        assert.ok(result === undefined || typeof result === 'string')
      } catch (error) {
        if (!isCodedError(error)) throw error
        assert.equal(error.code, 'FULCIO_CONFIG_TEMPLATE')
      }
    }),
    { numRuns: 10 * fuzzRuns() },
  )
})
