import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { GeneralName } from './general-name.js'
import { nameConstraintViolation } from './name-constraints.js'
import { encodeName } from './name.js'

type Kind = 'email' | 'dns' | 'uri'

interface Case {
  readonly kind: Kind
  readonly base: string
  readonly name: string
  readonly inside: boolean
}

const CASES: readonly Case[] = [
  { kind: 'dns', base: 'example.com', name: 'example.com', inside: true },
  { kind: 'dns', base: 'example.com', name: 'www.EXAMPLE.com', inside: true },
  { kind: 'dns', base: 'example.com', name: 'notexample.com', inside: false },
  { kind: 'dns', base: '.example.com', name: 'example.com', inside: false },
  { kind: 'dns', base: '', name: 'anything', inside: true },
  { kind: 'email', base: 'example.com', name: 'a@example.com', inside: true },
  { kind: 'email', base: 'example.com', name: 'a@sub.example.com', inside: false },
  { kind: 'email', base: '.example.com', name: 'a@sub.example.com', inside: true },
  { kind: 'email', base: '.example.com', name: 'a@example.com', inside: false },
  { kind: 'email', base: 'a@example.com', name: 'a@EXAMPLE.com', inside: true },
  { kind: 'email', base: 'a@example.com', name: 'A@example.com', inside: false },
  { kind: 'email', base: 'example.com', name: 'a@example.com@evil.org', inside: false },
  { kind: 'uri', base: 'github.com', name: 'https://github.com/o/r', inside: true },
  { kind: 'uri', base: 'github.com', name: 'https://user@github.com:443/o', inside: true },
  { kind: 'uri', base: 'github.com', name: 'https://evil.org/github.com', inside: false },
  { kind: 'uri', base: 'github.com', name: 'https://github.com@evil.org/', inside: false },
  { kind: 'uri', base: '.github.com', name: 'https://x.github.com', inside: true },
  { kind: 'uri', base: 'github.com', name: 'https://x.github.com', inside: false },
]

for (const { kind, base, name, inside } of CASES) {
  test(`${kind} ${name} is ${inside ? 'inside' : 'outside'} of ${JSON.stringify(base)}`, () => {
    const [subtree, subject]: GeneralName[] = [
      { kind, value: base },
      { kind, value: name },
    ]
    const permitted = nameConstraintViolation({ permitted: [subtree!], excluded: [] }, subject!)
    const excluded = nameConstraintViolation({ permitted: [], excluded: [subtree!] }, subject!)
    assert.equal(permitted === undefined, inside)
    assert.equal(excluded === undefined, !inside)
  })
}

test('compares addresses under their mask', () => {
  const base: GeneralName = { kind: 'ip', value: Uint8Array.of(10, 1, 0, 0, 255, 255, 0, 0) }
  const violation = (...value: number[]): string | undefined =>
    nameConstraintViolation({ permitted: [base], excluded: [] }, { kind: 'ip', value: Uint8Array.from(value) })
  assert.equal(violation(10, 1, 2, 3), undefined)
  assert.notEqual(violation(10, 2, 2, 3), undefined)
  assert.notEqual(violation(...new Uint8Array(16)), undefined)
})

test('what cannot be compared is forbidden where a constraint speaks about it, excluded or permitted', () => {
  const directory: GeneralName = { kind: 'directory', value: encodeName({ commonName: 'x' }) }
  const uri = (value: string): GeneralName => ({ kind: 'uri', value })
  assert.notEqual(nameConstraintViolation({ permitted: [], excluded: [directory] }, directory), undefined)
  for (const odd of ['spiffe:no-authority', 'https://192.0.2.1/', 'https://[::1]/', '']) {
    assert.notEqual(nameConstraintViolation({ permitted: [], excluded: [uri('github.com')] }, uri(odd)), undefined, odd)
  }
  assert.notEqual(
    nameConstraintViolation(
      { permitted: [], excluded: [{ kind: 'email', value: 'x.org' }] },
      { kind: 'email', value: 'no-at' },
    ),
    undefined,
  )
})

test('a kind of name without constraints is allowed', () => {
  const constraints = { permitted: [{ kind: 'dns', value: 'example.com' }], excluded: [] } as const
  assert.equal(nameConstraintViolation(constraints, { kind: 'email', value: 'a@b.c' }), undefined)
})
