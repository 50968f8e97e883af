/** The layer rule of ARCHITECTURE.md, generated from one table. A folder of src/ that is not in the table fails. @module */
import { readdirSync } from 'node:fs'

const BELOW_CLIENTS = ['formats', 'crypto', 'encoding']
const BELOW_SIGN = ['verify', 'tlog', 'clients', ...BELOW_CLIENTS]
const BELOW_SERVICES = ['sign', 'images', 'policy', 'serving', ...BELOW_SIGN]
const BELOW_CLI = ['services', 'gate', 'inventory', ...BELOW_SERVICES]

/** Folder → the folders whose modules it may import. */
export const MAY_IMPORT = {
  encoding: [],
  crypto: ['encoding'],
  formats: ['crypto', 'encoding'],
  verify: BELOW_CLIENTS,
  tlog: BELOW_CLIENTS,
  clients: BELOW_CLIENTS,
  sign: BELOW_SIGN,
  images: BELOW_SIGN,
  policy: BELOW_SIGN,
  serving: ['clients', ...BELOW_CLIENTS],
  services: BELOW_SERVICES,
  gate: BELOW_SERVICES,
  inventory: BELOW_SERVICES,
  // What the package exports; each module lists its names by hand.
  public: BELOW_CLI,
  cli: BELOW_CLI,
  testing: ['cli', ...BELOW_CLI],
}

/** Free to all. */
const FREE = '^src/(errors|time)\\.ts$'
const PURE = ['encoding', 'formats', 'verify']
/** Folders of src/policy that read policies, and those that evaluate what they write out. */
const POLICY_LANGUAGES = ['cip', 'kyverno', 'ivpol', 'cel', 'cue', 'jmespath', 'rego']
const TEST = '\\.test\\.ts$'

const unlisted = readdirSync(new URL('src', import.meta.url), { withFileTypes: true })
  .filter((entry) => entry.isDirectory() && !(entry.name in MAY_IMPORT))
  .map((entry) => entry.name)
if (unlisted.length > 0)
  throw new Error(`src/ has folders without a layer in .dependency-cruiser.mjs: ${unlisted.join(', ')}`)

const layers = Object.entries(MAY_IMPORT).map(([layer, below]) => ({
  name: `layer-${layer}`,
  comment: `${layer}/ may import only ${below.join(', ') || 'itself'}`,
  severity: 'error',
  from: { path: `^src/${layer}/`, pathNot: TEST },
  to: { path: '^src/', pathNot: [FREE, `^src/(${[layer, ...below].join('|')})/`] },
}))

/** @type {import('dependency-cruiser').IConfiguration} */
export default {
  forbidden: [
    ...layers,
    {
      name: 'no-cycles',
      severity: 'error',
      from: {},
      to: { circular: true, viaOnly: { dependencyTypesNot: ['type-only'] } },
    },
    {
      name: 'sibling-services',
      comment: 'services meet only where `up` wires them',
      severity: 'error',
      from: { path: '^src/services/([^/]+)/', pathNot: ['^src/services/up/', TEST] },
      to: { path: '^src/services/', pathNot: ['^src/services/$1/'] },
    },
    {
      name: 'policy-languages-stand-alone',
      comment:
        'what reads policies compiles to internal/ and knows no engine; the engine never asks which language it was',
      severity: 'error',
      from: { path: `^src/policy/(${POLICY_LANGUAGES.join('|')}|internal)/`, pathNot: TEST },
      to: { path: '^src/policy/engine/' },
    },
    {
      name: 'policy-engine-knows-no-language',
      severity: 'error',
      from: { path: '^src/policy/(engine|internal)/', pathNot: TEST },
      to: { path: `^src/policy/(${POLICY_LANGUAGES.join('|')})/` },
    },
    {
      name: 'free-modules-stand-alone',
      severity: 'error',
      from: { path: FREE },
      to: { path: '^src/', pathNot: FREE },
    },
    {
      name: 'pure-layers-touch-no-host',
      comment: 'encoding, formats and verify run anywhere: no node: modules, no npm packages',
      severity: 'error',
      from: { path: `^src/(${PURE.join('|')})/`, pathNot: TEST },
      to: { dependencyTypes: ['core', 'npm', 'npm-dev', 'npm-optional', 'npm-peer', 'npm-no-pkg', 'unknown'] },
    },
    {
      name: 'testing-for-tests-only',
      severity: 'error',
      from: { path: '^src/', pathNot: [TEST, '^src/testing/'] },
      to: { path: '^src/testing/' },
    },
    {
      name: 'tests-are-not-imported',
      severity: 'error',
      from: {},
      to: { path: TEST },
    },
    {
      name: 'dev-dependencies-in-tests-only',
      severity: 'error',
      from: { path: '^src/', pathNot: [TEST, '^src/testing/'] },
      to: { dependencyTypes: ['npm-dev', 'npm-no-pkg', 'npm-unknown'], dependencyTypesNot: ['type-only'] },
    },
    {
      name: 'resolvable',
      severity: 'error',
      from: {},
      to: { couldNotResolve: true },
    },
    {
      name: 'marked-crossings',
      comment: 'a relative import stays inside its layer; crossing one is spelt #layer/…',
      severity: 'error',
      from: { path: '^src/([^/]+)/' },
      to: { path: '^src/', pathNot: ['^src/$1/'], dependencyTypes: ['local'], dependencyTypesNot: ['aliased'] },
    },
  ],
  options: {
    tsConfig: { fileName: 'tsconfig.json' },
    tsPreCompilationDeps: true,
    doNotFollow: { path: 'node_modules' },
    exclude: { path: '^dist/|^(src|test|bench)/.*testdata/' },
    enhancedResolveOptions: {
      conditionNames: ['source', 'import', 'node', 'default', 'types'],
      exportsFields: ['exports'],
      extensions: ['.ts', '.js', '.mjs', '.json', '.d.ts'],
    },
  },
}
