import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { fuzzRuns } from '#testing/fuzz'
import { isCodedError } from '#errors'
import { parseKmsUri } from './kms-uri.js'

const ID = '1234abcd-12ab-34cd-56ef-1234567890ab'
const KEY = 'projects/pp/locations/ll/keyRings/rr/cryptoKeys/kk'

describe('what is no address of a key', () => {
  for (const text of [
    ...['', 'awskms', 'awskms:', 'awskms://', 'foo://bar', `AWSKMS:///${ID}`, ` awskms:///${ID}`, `awskms:///${ID}\n`],
    // Of the original's own tests.
    ...['awskms:///missingalias', 'awskms:///1234abcd-12ab-YYYY-56ef-1234567890ab', `awskms://${ID}`],
    'gcpkms://projects/p1/p2/locations/l1/l2/keyRings/r1/r2/cryptoKeys/k1/k2',
    'gcpkms://projects/p1/p2/locations/l1/l2/keyRings/r1/r2/cryptoKeys/k1/versions',
    ...['azurekms://wrong-test/test/1/3', 'hashivault://cosign/nested'],
    // What would lead elsewhere.
    ...[`awskms://user@host/${ID}`, `awskms://host?x/${ID}`, `awskms://host#/${ID}`, `awskms://a b/${ID}`],
    ...[`awskms://host:x/${ID}`, `awskms://-host/${ID}`, `awskms://host\\evil/${ID}`, `awskms://host:99999/${ID}`],
    ...['awskms:///alias/', 'awskms:///alias/a b', 'awskms:///arn:aws:s3:eu-west-1:111122223333:key/x'],
    ...[`awskms:///arn:evil:kms:eu-west-1:111122223333:key/${ID}`, `awskms:///arn:aws:kms:a.b:111122223333:key/${ID}`],
    ...[`gcpkms://${KEY}/cryptoKeyVersions/..`, `gcpkms://${KEY}/cryptoKeyVersions/1/publicKey`, `gcpkms://${KEY}?x=1`],
    'gcpkms://projects/../locations/ll/keyRings/rr/cryptoKeys/kk',
    'gcpkms://projects/pp/locations/ll/keyRings/..%2f/cryptoKeys/kk',
    ...['azurekms://a.vault.azure.net/../secrets', 'azurekms://a.vault.azure.net/key/..', 'azurekms:///key'],
    ...[
      'hashivault://..',
      'hashivault://.x',
      'hashivault://a%2fb',
      'hashivault://a?b',
      'hashivault://key/',
      'openbao://',
    ],
  ]) {
    test(JSON.stringify(text), () => {
      assert.throws(() => parseKmsUri(text), { code: 'KMS_URI' })
    })
  }
})

describe('what is one', () => {
  const arn = `arn:aws:kms:us-east-2:111122223333:key/${ID}`
  for (const [text, expected] of [
    [`awskms:///${ID}`, { endpoint: undefined, keyId: ID, region: undefined }],
    ['awskms:///mrk-1234abcd12ab34cd56ef1234567890ab', { keyId: 'mrk-1234abcd12ab34cd56ef1234567890ab' }],
    [`awskms:///${ID.toUpperCase()}`, { keyId: ID.toUpperCase() }],
    [`awskms://localhost:4566/${ID}`, { endpoint: 'localhost:4566', keyId: ID }],
    [`awskms://[::1]:4566/${ID}`, { endpoint: '[::1]:4566' }],
    [`awskms:///${arn}`, { endpoint: undefined, keyId: arn, region: 'us-east-2' }],
    [`awskms://LOCALHOST:4566/${arn}`, { endpoint: 'localhost:4566', keyId: arn }],
    ['awskms:///alias/Team/Example_1-a', { keyId: 'alias/Team/Example_1-a' }],
    [
      'awskms:///arn:aws-us-gov:kms:us-gov-west-1:111122223333:alias/ExampleAlias',
      { keyId: 'arn:aws-us-gov:kms:us-gov-west-1:111122223333:alias/ExampleAlias', region: 'us-gov-west-1' },
    ],
    [`gcpkms://${KEY}`, { service: 'google', key: KEY, version: undefined }],
    [`gcpkms://${KEY}/versions/1`, { key: KEY, version: '1' }],
    [`gcpkms://${KEY}/cryptoKeyVersions/12`, { key: KEY, version: '12' }],
    ['gcpkms://projects/example.com:pp/locations/europe-west1/keyRings/r_r/cryptoKeys/k-k', { service: 'google' }],
    [
      'azurekms://honk-vault.vault.azure.net/honk-key',
      { host: 'honk-vault.vault.azure.net', key: 'honk-key', version: undefined },
    ],
    ['azurekms://honk-vault.vault.azure.net/honk-key/', { version: undefined }],
    [
      'azurekms://Honk-Vault.vault.azure.net/honk-key/123abc',
      { host: 'honk-vault.vault.azure.net', version: '123abc' },
    ],
    ['hashivault://cosign', { service: 'vault', key: 'cosign' }],
    ['openbao://team.cosign-1_a', { service: 'vault', key: 'team.cosign-1_a' }],
  ] as const) {
    test(text, () => {
      const uri = parseKmsUri(text)
      assert.deepEqual({ ...uri, ...expected }, uri)
    })
  }
})

test('any text is an address or a coded error, and what is read of it leads nowhere else', () => {
  const part = fc.constantFrom(
    'awskms://',
    'gcpkms://',
    'azurekms://',
    'hashivault://',
    '/',
    ID,
    KEY,
    '..',
    '%2f',
    '@',
    ':1',
    'alias/',
    'a.vault.azure.net',
    'arn:aws:kms:x:111122223333:key/',
  )
  const text = fc.array(fc.oneof(part, fc.string({ maxLength: 8 })), { maxLength: 6 }).map((parts) => parts.join(''))
  fc.assert(
    fc.property(text, (address) => {
      try {
        const uri = parseKmsUri(address)
        const [, rest = ''] = address.split('://')
        const read = uri.service === 'aws' ? uri.keyId : uri.key
        const climbs = read.split('/').some((segment) => /^\.+$/.test(segment))
        assert.ok(rest.includes(read) && !climbs && !/[\s?#%@\\]/.test(read), read)
      } catch (error) {
        assert.ok(isCodedError(error) && error.code === 'KMS_URI')
      }
    }),
    { numRuns: fuzzRuns() * 10 },
  )
})
