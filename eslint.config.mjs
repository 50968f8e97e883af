import eslint from '@eslint/js'
import tseslint from 'typescript-eslint'

/** The world is passed in: these are made only where a process starts. */
const HOST_GLOBALS = ['process', 'console', 'fetch'].map((name) => ({
  name,
  message: 'Pass it in: only cli/ and the entry points of services/ touch the host.',
}))

const HOST_CALLS = [
  {
    selector: "CallExpression[callee.object.name='Date'][callee.property.name='now']",
    message: 'Take a Clock.',
  },
  { selector: "NewExpression[callee.name='Date'][arguments.length=0]", message: 'Take a Clock.' },
  {
    selector: "CallExpression[callee.object.name='performance'][callee.property.name='now']",
    message: 'Take a Clock.',
  },
  {
    selector: "CallExpression[callee.object.name='Math'][callee.property.name='random']",
    message: 'Take a source of randomness (#crypto/random).',
  },
]

/** Errors that are thrown in another bundle than they are caught in are of another class there. */
const CLASSES = [
  {
    selector: "BinaryExpression[operator='instanceof'][right.name=/^(?:HttpError|KubernetesError)$/]",
    message: 'Ask isHttpError, isKubernetesError.',
  },
]

const SHAPES = [
  { selector: 'ExportDefaultDeclaration', message: 'Name what you export.' },
  { selector: 'ExportAllDeclaration', message: 'List what you export.' },
  // The HTTP client is a chunk of its own in the built program, with a class of its own.
  { selector: 'BinaryExpression[operator="instanceof"][right.name="HttpError"]', message: 'isHttpError (ADR 6).' },
]

const HOST_MODULES = ['process', 'console']
  .flatMap((name) => [name, `node:${name}`])
  .map((name) => ({
    name,
    message: 'Pass it in: only cli/ and the entry points of services/ touch the host.',
  }))

export default tseslint.config(
  { ignores: ['dist/**', 'node_modules/**', 'web/dist/**', '**/testdata/**'] },
  {
    files: ['**/*.ts'],
    extends: [eslint.configs.recommended, ...tseslint.configs.strictTypeChecked],
    languageOptions: { parserOptions: { project: './tsconfig.json', tsconfigRootDir: import.meta.dirname } },
    linterOptions: { reportUnusedDisableDirectives: 'error' },
    rules: {
      '@typescript-eslint/switch-exhaustiveness-check': [
        'error',
        { considerDefaultExhaustiveForUnions: true, requireDefaultForNonUnion: true },
      ],
      '@typescript-eslint/consistent-type-imports': ['error', { fixStyle: 'separate-type-imports' }],
      '@typescript-eslint/consistent-type-exports': 'error',
      '@typescript-eslint/no-import-type-side-effects': 'error',
      '@typescript-eslint/explicit-module-boundary-types': 'error',
      // Numbers and bigints read well in a message; anything else must be spelt out.
      '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true }],
      '@typescript-eslint/no-confusing-void-expression': [
        'error',
        { ignoreArrowShorthand: true, ignoreVoidOperator: true, ignoreVoidReturningFunctions: true },
      ],
      // Request and Response of an adapter or a test have the shape, not always the class.
      '@typescript-eslint/no-unsafe-class-instance-assignment': 'off',
      // A port may answer at once or later: an implementation is `async` without awaiting.
      '@typescript-eslint/require-await': 'off',
      '@typescript-eslint/no-unused-vars': [
        'error',
        { argsIgnorePattern: '^_', varsIgnorePattern: '^_', caughtErrors: 'none', ignoreRestSiblings: true },
      ],
      // Over code points is what `[...text]` means here.
      '@typescript-eslint/no-misused-spread': ['error', { allow: [{ from: 'lib', name: 'string' }] }],
      '@typescript-eslint/only-throw-error': 'error',
      '@typescript-eslint/strict-boolean-expressions': 'off',
      'no-restricted-syntax': ['error', ...SHAPES],
      eqeqeq: 'error',
      'prefer-const': ['error', { destructuring: 'all' }],
      'no-console': 'off',
      'no-control-regex': 'off',
      'object-shorthand': 'error',
      'no-var': 'error',
      // Guides, counted and not enforced.
      'max-lines': ['warn', { max: 300, skipBlankLines: true, skipComments: true }],
      'max-lines-per-function': ['warn', { max: 50, skipBlankLines: true, skipComments: true }],
      'max-params': ['warn', { max: 3 }],
    },
  },
  {
    files: ['src/**/*.ts'],
    ignores: ['src/cli/**', 'src/services/*/entry.ts', 'src/services/up/**', 'src/testing/**', '**/*.test.ts'],
    rules: {
      'no-restricted-globals': ['error', ...HOST_GLOBALS],
      'no-restricted-imports': ['error', { paths: HOST_MODULES }],
      'no-restricted-syntax': ['error', ...SHAPES, ...HOST_CALLS, ...CLASSES],
    },
  },
  {
    // These also run in a browser.
    files: ['src/{encoding,formats,verify}/**/*.ts'],
    ignores: ['**/*.test.ts'],
    rules: { 'no-restricted-globals': ['error', ...HOST_GLOBALS, { name: 'Buffer', message: 'Uint8Array.' }] },
  },
  {
    files: ['**/*.test.ts', 'src/testing/**/*.ts', 'test/**/*.ts', 'bench/**/*.ts', 'fuzz/**/*.ts'],
    rules: {
      '@typescript-eslint/no-non-null-assertion': 'off',
      '@typescript-eslint/unbound-method': 'off',
      '@typescript-eslint/no-floating-promises': [
        'error',
        {
          allowForKnownSafeCalls: [
            {
              from: 'package',
              package: 'node:test',
              name: ['test', 'it', 'describe', 'suite', 'before', 'after', 'beforeEach', 'afterEach'],
            },
          ],
        },
      ],
      '@typescript-eslint/explicit-module-boundary-types': 'off',
      'max-lines': 'off',
      'max-lines-per-function': 'off',
      'max-params': 'off',
    },
  },
  {
    files: ['**/*.mjs'],
    extends: [eslint.configs.recommended],
    languageOptions: {
      globals: Object.fromEntries(
        [
          'process',
          'console',
          'Buffer',
          'URL',
          'performance',
          'fetch',
          'setTimeout',
          'clearTimeout',
          'AbortSignal',
          'TextDecoder',
          'TextEncoder',
        ].map((name) => [name, 'readonly']),
      ),
    },
    rules: { 'no-unused-vars': ['error', { varsIgnorePattern: '^_', argsIgnorePattern: '^_' }] },
  },
)
