/** Attestations that Kyverno's policies ask for, against attested images. @module */
import { describe, test } from 'node:test'
import { openKyvernoVerifying, VULN, keyless, refs, by, attestation } from '#testing/policy/kyverno-verifying'

const { bench, ann, bob, imageBy, attested, admitted, denied } = await openKyvernoVerifying()

describe('attestations', () => {
  const conditions = (text: string): string => `, conditions: [{all: [${text}]}]`
  const clean = conditions("{key: '{{ clean }}', operator: Equals, value: true}")

  test('every statement must satisfy, and there is one', async () => {
    await admitted(attestation(keyless(), clean), await attested([ann, { clean: true }]))
    await denied(
      attestation(keyless(), clean),
      await attested([ann, { clean: true }], [ann, { clean: false }]),
      /attestation checks failed for ghcr\.io\/acme\/app@sha256:\w+ and predicate https:\/\/example\.com\/scan\/v1: the condition \[0\]\.all\[0\] is not met$/,
    )
    await denied(attestation(keyless(), clean), await imageBy(ann), /attestions not found for predicate type/)
    await denied(attestation(keyless(), clean), await attested([bob, { clean: true }]), /subject mismatch/)
    // What a stranger adds is not what was asked for.
    await admitted(attestation(keyless(), clean), await attested([ann, { clean: true }], [bob, { clean: false }]))
  })

  test('messages of conditions, and conditions that cannot be judged', async () => {
    const told = conditions("{key: '{{ clean }}', operator: Equals, value: true, message: 'not {{ clean }}'}")
    await denied(attestation(keyless(), told), await attested([ann, { clean: 'dirty' }]), /scan\/v1: not dirty$/)
    await denied(
      attestation(keyless(), clean),
      await attested([ann, { other: 1 }]),
      /failed to check attestations: .*there is no clean/,
    )
  })

  test('a predicate does not take the place of the request', async () => {
    const asked = conditions("{key: '{{ request.namespace }}', operator: Equals, value: trusted}")
    const forged = { request: { namespace: 'trusted' }, images: {}, image: {} }
    await denied(attestation(keyless(), asked), await attested([ann, forged]), /attestation checks failed/)
  })

  test('the request, the image and the context are there', async () => {
    const asked = conditions(
      [
        "{key: '{{ request.object.metadata.name }}', operator: Equals, value: test}",
        "{key: '{{ image.registry }}/{{ image.path }}', operator: Equals, value: ghcr.io/acme/app}",
        "{key: '{{ allowed }}', operator: AnyIn, value: '{{ tools }}'}",
      ].join(', '),
    )
    const more = 'context: [{name: allowed, variable: {value: a}}]'
    await admitted(attestation(keyless(), asked), await attested([ann, { tools: ['a', 'b'] }]), { more })
    await denied(attestation(keyless(), asked), await attested([ann, { tools: ['b'] }]), /checks failed/, { more })
  })

  test('validate.deny over what was attested by name', async () => {
    const entry = (type: string): string =>
      `{name: ${type}, type: 'https://example.com/${type}', attestors: [{entries: [{${keyless()}}]}]}`
    const deny = (message: string): string =>
      `${refs()}, attestations: [${entry('one')}, ${entry('two')}], validate: {${message}deny: {conditions: {any: [{key: '{{ one.a }}', operator: NotEquals, value: '{{ two.a }}', message: differ}]}}}`
    const make = async (one: string, two: string): Promise<string> => {
      const image = await imageBy()
      await bench.attest(image, ann, { type: 'https://example.com/one', predicate: { a: one } })
      await bench.attest(image, ann, { type: 'https://example.com/two', predicate: { a: two } })
      return image
    }
    await admitted(deny(''), await make('x', 'x'))
    await denied(deny(''), await make('x', 'y'), /^validation in verifyImages failed: differ$/)
    await denied(
      deny("message: 'a is {{ one.a }}', "),
      await make('x', 'y'),
      /^validation in verifyImages failed: a is x; differ$/,
    )
    const plain = `${by(keyless())}, validate: {deny: {conditions: [{key: '{{ request.namespace }}', operator: Equals, value: default}]}}`
    await denied(plain, await imageBy(ann), /^validation in verifyImages failed: validation error: imageVerify failed$/)
  })

  test('a type must be named, by either of its fields', async () => {
    const image = await attested([ann, {}])
    await denied(
      `${refs()}, attestations: [{attestors: [{entries: [{${keyless()}}]}]}]`,
      image,
      /^\.attestations\[0\]: missing type$/,
    )
    await admitted(
      `${refs()}, attestations: [{predicateType: '${VULN}', attestors: [{entries: [{${keyless()}}]}]}]`,
      image,
    )
  })
})
