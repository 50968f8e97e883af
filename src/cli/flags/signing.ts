/** Flags of the commands that sign. @module */

/** With which key. */
export const keyFlags = {
  key: {
    kind: 'path',
    help: 'private key: a file, env://VARIABLE, k8s://NAMESPACE/SECRET, gitlab://PROJECT, or a key at awskms://, gcpkms://, azurekms:// or hashivault://',
    placeholder: 'KEY',
  },
  sk: { kind: 'boolean', help: 'use a hardware security key', hidden: true },
  slot: { kind: 'string', help: 'slot of the hardware security key', hidden: true },
  certificate: {
    kind: 'path',
    aliases: ['cert'],
    help: 'certificate of the key, PEM or DER, to go with the signature',
  },
  'certificate-chain': {
    kind: 'path',
    aliases: ['cert-chain'],
    help: 'PEM file with the authorities above the certificate, from its issuer to the root',
  },
} as const

/** Who the signer is, where no key is given. */
export const identityTokenFlags = {
  'identity-token': {
    kind: 'string',
    help: 'OIDC identity token, or a file that holds it',
    placeholder: 'TOKEN|FILE',
    group: 'oidc',
    secret: true,
  },
  'fulcio-auth-flow': {
    kind: 'string',
    choices: ['normal', 'device', 'token', 'client_credentials'],
    help: 'how to log in; found out from the surroundings if not given',
    group: 'oidc',
  },
  'oidc-client-id': { kind: 'string', default: 'sigstore', help: 'client id to log in with', group: 'oidc' },
  'oidc-client-secret-file': { kind: 'path', help: 'file with the client secret to log in with', group: 'oidc' },
  'oidc-redirect-url': { kind: 'url', help: 'where the browser returns to after the login', group: 'oidc' },
  'oidc-provider': {
    kind: 'string',
    help: 'the one ambient source of identity to use: spiffe, google, github-actions, filesystem, buildkite-agent, envvar',
    group: 'oidc',
  },
  'oidc-disable-ambient-providers': {
    kind: 'boolean',
    help: 'do not look for an identity in the surroundings',
    group: 'oidc',
  },
  'oidc-issuer': {
    kind: 'url',
    help: 'OIDC issuer to log in at',
    deprecated: 'please use a signing config to specify an OIDC issuer; see `countersign signing-config create --help`',
  },
  'fulcio-url': {
    kind: 'url',
    help: 'address of the certificate authority',
    deprecated: 'please use a signing config to specify a fulcio url; see `countersign signing-config create --help`',
  },
  'insecure-skip-verify': {
    kind: 'boolean',
    help: 'has no effect',
    deprecated: 'what the services return is always verified.',
  },
} as const

/** Which services witness the signature. */
export const serviceFlags = {
  'use-signing-config': {
    kind: 'boolean',
    default: true,
    help: 'take the services’ addresses from the TUF repository',
    group: 'services',
  },
  'signing-config': { kind: 'path', help: 'take the services’ addresses from this file', group: 'services' },
  'trusted-root': { kind: 'path', help: 'trusted root to verify the new signature against', group: 'services' },
  'timestamp-client-cacert': {
    kind: 'path',
    help: 'PEM file with the authorities to trust for the timestamp authority',
    group: 'services',
  },
  'timestamp-client-cert': {
    kind: 'path',
    help: 'PEM certificate to show to the timestamp authority',
    group: 'services',
  },
  'timestamp-client-key': { kind: 'path', help: 'PEM key of that certificate', group: 'services' },
  'timestamp-server-name': {
    kind: 'string',
    help: 'host name to expect in the timestamp authority’s certificate',
    group: 'services',
  },
  'rekor-url': {
    kind: 'url',
    help: 'address of the transparency log',
    deprecated: 'please use a signing config to specify a rekor url; see `countersign signing-config create --help`',
  },
  'timestamp-server-url': {
    kind: 'url',
    help: 'full address of the timestamp authority',
    deprecated:
      'please use a signing config to specify a timestamp server url; see `countersign signing-config create --help`',
  },
  'tlog-upload': {
    kind: 'boolean',
    default: true,
    help: 'whether to record the signature in a transparency log',
    deprecated: 'prefer using a --signing-config file with no transparency log services',
  },
  'issue-certificate': {
    kind: 'boolean',
    help: 'get a certificate although a key is given',
    deprecated: 'support for this flag will be removed in the future',
  },
  'new-bundle-format': {
    kind: 'boolean',
    default: true,
    help: 'write a Sigstore bundle rather than the old format',
    deprecated: 'this will be the only supported format in future versions',
  },
} as const

export const confirmationFlag = {
  yes: { kind: 'boolean', short: 'y', help: 'do not ask before publishing or overwriting' },
} as const

export const signingAlgorithmFlag = {
  'signing-algorithm': {
    kind: 'string',
    choices: [
      'ecdsa-sha2-256-nistp256',
      'ecdsa-sha2-384-nistp384',
      'ecdsa-sha2-512-nistp521',
      'rsa-sign-pkcs1-2048-sha256',
      'rsa-sign-pkcs1-3072-sha256',
      'rsa-sign-pkcs1-4096-sha256',
      'ed25519',
      'ed25519-ph',
      'ml-dsa-65',
      'ml-dsa-87',
    ],
    default: 'ecdsa-sha2-256-nistp256',
    placeholder: 'NAME',
    help: 'kind of key to make where none is given',
  },
} as const

/** What is claimed in an attestation. */
export const predicateFlags = {
  predicate: { kind: 'path', help: 'the predicate, - for standard input' },
  statement: { kind: 'path', help: 'a whole in-toto statement to sign as it is' },
  type: {
    kind: 'string',
    default: 'custom',
    placeholder: 'TYPE|URI',
    help: 'slsaprovenance, slsaprovenance02, slsaprovenance1, link, spdx, spdxjson, cyclonedx, vuln, openvex, custom or a URI',
  },
} as const
