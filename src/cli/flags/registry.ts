/** Flags of every command that talks to a registry. @module */

export const registryFlags = {
  'allow-http-registry': { kind: 'boolean', help: 'speak plain HTTP to the registry', group: 'registry' },
  'allow-insecure-registry': { kind: 'boolean', help: 'accept any TLS certificate of the registry', group: 'registry' },
  'k8s-keychain': {
    kind: 'boolean',
    help: 'also use the credentials of the cloud or cluster this runs in',
    group: 'registry',
  },
  'registry-username': { kind: 'string', help: 'user name for the registry', group: 'registry' },
  'registry-password': { kind: 'string', help: 'password for the registry', group: 'registry', secret: true },
  'registry-token': { kind: 'string', help: 'bearer token for the registry', group: 'registry', secret: true },
  'registry-cacert': {
    kind: 'path',
    help: 'PEM file with the authorities to trust for the registry',
    group: 'registry',
  },
  'registry-client-cert': { kind: 'path', help: 'PEM certificate to show to the registry', group: 'registry' },
  'registry-client-key': { kind: 'path', help: 'PEM key of that certificate', group: 'registry' },
  'registry-server-name': {
    kind: 'string',
    help: 'host name to expect in the registry’s certificate',
    group: 'registry',
  },
  'attachment-tag-prefix': {
    kind: 'string',
    help: 'put before the tags of attachments, as [PREFIX]sha256-…',
    deprecated: 'please use OCI referrers',
  },
} as const

/** Which layout to use, for commands where there is a choice. */
export const referrersModeFlag = {
  'registry-referrers-mode': {
    kind: 'string',
    choices: ['legacy', 'oci-1-1'],
    help: 'where the old format is kept: at tags (legacy) or as referrers (oci-1-1)',
    group: 'registry',
  },
} as const
