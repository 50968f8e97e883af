/** Flags that the inventory commands share. @module */
import { trustFlags } from '../flags/verifying.js'

/** What is looked at. */
export const sourceFlags = {
  cluster: { kind: 'boolean', help: 'look at what runs in the cluster of the kubeconfig, or the one this runs in' },
  kubeconfig: { kind: 'path', help: 'kubeconfig to use (implies --cluster)' },
  context: { kind: 'string', placeholder: 'NAME', help: 'context of the kubeconfig (implies --cluster)' },
  namespace: {
    kind: 'repeated',
    short: 'n',
    placeholder: 'NAME',
    help: 'only this namespace (implies --cluster; repeat for several)',
  },
  manifest: {
    kind: 'repeated',
    short: 'f',
    placeholder: 'FILE|FOLDER',
    help: 'look at the images of these Kubernetes manifests, - for standard input',
  },
  'image-list': { kind: 'path', help: 'look at the images in this file, a line each, - for standard input' },
  platform: {
    kind: 'repeated',
    placeholder: 'OS/ARCH',
    help: 'the platform that runs, where the cluster does not say (repeat for several; all if not given)',
  },
} as const

/** Whose OpenVEX statements count. */
export const vexFlags = {
  'vex-certificate-identity': {
    kind: 'repeated',
    placeholder: 'NAME',
    help: 'whose OpenVEX statements count; nobody’s unless named',
    group: 'identity',
  },
  'vex-certificate-identity-regexp': {
    kind: 'repeated',
    placeholder: 'REGEXP',
    help: 'the same as a pattern that the whole name must match',
    group: 'identity',
  },
  'vex-certificate-oidc-issuer': {
    kind: 'repeated',
    placeholder: 'URL',
    help: 'who must have vouched for them',
    group: 'identity',
  },
  'vex-certificate-oidc-issuer-regexp': {
    kind: 'repeated',
    placeholder: 'REGEXP',
    help: 'the same as a pattern that the whole issuer must match',
    group: 'identity',
  },
  'vex-key': { kind: 'path', placeholder: 'KEY', help: 'public key of their author', group: 'identity' },
} as const

type EvidenceFlags = Pick<
  typeof trustFlags,
  'trusted-root' | 'use-signed-timestamps' | 'insecure-ignore-tlog' | 'insecure-ignore-sct'
>

/** How much evidence is asked for. */
export const evidenceFlags: EvidenceFlags = {
  'trusted-root': trustFlags['trusted-root'],
  'use-signed-timestamps': trustFlags['use-signed-timestamps'],
  'insecure-ignore-tlog': trustFlags['insecure-ignore-tlog'],
  'insecure-ignore-sct': trustFlags['insecure-ignore-sct'],
}

/** Where it is kept, and how it is shown. */
export const inventoryFlags = {
  name: { kind: 'string', default: 'default', placeholder: 'NAME', help: 'which inventory, where there are several' },
  cache: { kind: 'path', placeholder: 'FOLDER', help: 'where inventories are kept; ~/.cache/countersign if not given' },
  output: { kind: 'string', short: 'o', choices: ['table', 'json'], default: 'table', help: 'how to print' },
} as const

/** Exit code of what went wrong: 1 is an answer. */
export const FAILURE_EXIT_CODE = 2
export const UNKNOWN_EXIT_CODE = 3
