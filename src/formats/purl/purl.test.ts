import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { isCodedError } from '#errors'
import { fuzzRuns } from '#testing/fuzz'
import { formatPurl, parsePurl, type PackageUrl } from './purl.js'
import { TYPE_RULES } from './types.js'

/** Written so → the canonical text. Examples of purl-spec and its type definitions, and what tools write. */
const CANONICAL: readonly (readonly [string, string])[] = [
  ['pkg:maven/org.apache.xmlgraphics/batik-anim@1.9.1?packaging=sources', ''],
  ['pkg:npm/%40angular/animation@12.3.1', ''],
  ['pkg:npm/@angular/animation@12.3.1', 'pkg:npm/%40angular/animation@12.3.1'],
  ['pkg:npm/@angular/animation', 'pkg:npm/%40angular/animation'],
  ['pkg:golang/google.golang.org/genproto#googleapis/api/annotations', ''],
  ['pkg:golang/stdlib@1.20.3', ''],
  ['PKG:PYPI/Django_package@1.11.1.DEV1', 'pkg:pypi/django-package@1.11.1.dev1'],
  ['pkg:///gem//ruby-advisory-db-check@0.12.4', 'pkg:gem/ruby-advisory-db-check@0.12.4'],
  ['pkg:deb/Debian/Curl@7.50.3-1?distro=jessie&arch=i386', 'pkg:deb/debian/curl@7.50.3-1?arch=i386&distro=jessie'],
  ['pkg:deb/debian/g%2B%2B@4:12.2.0', 'pkg:deb/debian/g%2B%2B@4:12.2.0'],
  ['pkg:rpm/Fedora/Curl@7.50.3-1.fc25?Arch=i386', 'pkg:rpm/fedora/Curl@7.50.3-1.fc25?arch=i386'],
  ['pkg:oci/Hello@SHA256%3A244FD47E?tag=v1', 'pkg:oci/hello@sha256:244fd47e?tag=v1'],
  ['pkg:pub/Some-Package@1.0.0', 'pkg:pub/some_package@1.0.0'],
  ['pkg:cpan/gdt/URI-PackageURL@2.23', 'pkg:cpan/GDT/URI-PackageURL@2.23'],
  ['pkg:github/Package-URL/Purl-Spec@244fd47e', 'pkg:github/package-url/purl-spec@244fd47e'],
  ['pkg:generic/a%20b@1%2F2?x=%25&empty=#./a/../b//', 'pkg:generic/a%20b@1%2F2?x=%25#a/b'],
  ['pkg:generic/x@?y=1=2', 'pkg:generic/x?y=1%3D2'],
  [
    'pkg:mlflow/Model@3?repository_url=https://adb.databricks.com',
    'pkg:mlflow/model@3?repository_url=https:%2F%2Fadb.databricks.com',
  ],
  ['pkg:huggingface/microsoft/deberta@559062AD', 'pkg:huggingface/microsoft/deberta@559062ad'],
  ["pkg:generic/it's(a)*!", 'pkg:generic/it%27s%28a%29%2A%21'],
]

describe('package URLs', () => {
  for (const [text, canonical] of CANONICAL) {
    test(text, () => {
      const formatted = formatPurl(parsePurl(text))
      assert.equal(formatted, canonical || text)
      assert.equal(formatPurl(parsePurl(formatted)), formatted)
    })
  }

  for (const [text, code] of [
    ['', 'PURL_MALFORMED'],
    ['log4j-core', 'PURL_MALFORMED'],
    ['EnterpriseLibrary.Common@6.0.1304', 'PURL_MALFORMED'],
    ['pkg%3Amaven/org.apache.commons/io', 'PURL_MALFORMED'],
    ['https://example.com/pkg:npm/x', 'PURL_MALFORMED'],
    ['pkg:EnterpriseLibrary.Common@6.0.1304', 'PURL_MALFORMED'],
    ['pkg:npm', 'PURL_MALFORMED'],
    ['pkg:npm/', 'PURL_MALFORMED'],
    ['pkg:/npm', 'PURL_MALFORMED'],
    ['pkg:3npm/x', 'PURL_MALFORMED'],
    ['pkg:n&g?inx/nginx@0.8.9', 'PURL_MALFORMED'],
    ['pkg:maven/@1.3.4', 'PURL_MALFORMED'],
    ['pkg:npm/x?in%20production=true', 'PURL_MALFORMED'],
    ['pkg:npm/x?a=1&a=2', 'PURL_MALFORMED'],
    ['pkg:npm/x?a=1&A=2', 'PURL_MALFORMED'],
    ['pkg:npm/a%2Fb/x', 'PURL_MALFORMED'],
    ['pkg:npm/x#a%2Fb', 'PURL_MALFORMED'],
    ['pkg:npm/x%', 'PURL_MALFORMED'],
    ['pkg:npm/x@%ff', 'PURL_MALFORMED'],
    [`pkg:npm/${'x'.repeat(9000)}`, 'PURL_MALFORMED'],
    ['pkg:swift/Alamofire@5.4.3', 'PURL_TYPE'],
    ['pkg:vcpkg/boost/asio@1.84.0', 'PURL_TYPE'],
    ['pkg:julia/Dates', 'PURL_TYPE'],
    ['pkg:cpan/LWP::UserAgent@6.7.6', 'PURL_TYPE'],
    ['pkg:chrome-extension/dogs', 'PURL_TYPE'],
    ['pkg:chrome-extension/dlpngalgnefjeiefhmpklpfiohadpglk@1.2.3-beta', 'PURL_TYPE'],
  ] as const) {
    test(`refused: ${text.slice(0, 60)}`, () => assert.throws(() => parsePurl(text), { code }))
  }
})

test('parts are decoded, absent ones undefined', () => {
  assert.deepEqual(parsePurl('pkg:npm/%40a/b@1?os=linux#x/y'), {
    type: 'npm',
    namespace: '@a',
    name: 'b',
    version: '1',
    qualifiers: new Map([['os', 'linux']]),
    subpath: 'x/y',
  } satisfies PackageUrl)
  const { namespace, version, subpath, qualifiers } = parsePurl('pkg:npm/b')
  assert.deepEqual([namespace, version, subpath, qualifiers.size], [undefined, undefined, undefined, 0])
})

test('names of objects are only names', () => {
  const purl = parsePurl('pkg:constructor/__proto__/toString?constructor=1&__proto=2'.replace('&__proto=2', ''))
  assert.equal(purl.name, 'toString')
  assert.equal(purl.qualifiers.get('constructor'), '1')
  assert.equal(purl.qualifiers.get('toString'), undefined)
})

test('any text is a package URL or is refused with a code; canonical texts are stable', () => {
  const part = fc.string({ unit: 'grapheme' }).map((text) => encodeURIComponent(text.toWellFormed()))
  const shaped = fc
    .tuple(fc.constantFrom('npm', 'x', ...TYPE_RULES.keys()), fc.array(part), part, part, part)
    .map(([type, path, version, value, subpath]) => `pkg:${type}/${path.join('/')}@${version}?q=${value}#${subpath}`)
  fc.assert(
    fc.property(
      fc.oneof(
        shaped,
        fc.string(),
        fc.string().map((text) => `pkg:${text}`),
      ),
      (text) => {
        let purl: PackageUrl
        try {
          purl = parsePurl(text)
        } catch (error) {
          assert.ok(isCodedError(error) && error.code.startsWith('PURL_'), String(error))
          return
        }
        const canonical = formatPurl(purl)
        assert.match(canonical, /^pkg:[\x21-\x7e]+$/)
        assert.deepEqual(parsePurl(canonical), purl)
      },
    ),
    { numRuns: fuzzRuns() },
  )
})
