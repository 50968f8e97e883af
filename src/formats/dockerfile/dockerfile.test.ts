/**
 * The cases of `cosign` are those of sigstore/cosign, cmd/cosign/cli/dockerfile/verify_test.go (Apache-2.0); of the two that BuildKit
 * would not build, ENV before the first FROM is read as cosign reads it.
 *
 * @module
 */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { isCodedError } from '#errors'
import { fuzzRuns } from '#testing/fuzz'
import { imagesOfDockerfile } from './images.js'

type Environment = Readonly<Record<string, string>>

function read(text: string, environment: Environment = {}): ReturnType<typeof imagesOfDockerfile> {
  return imagesOfDockerfile(text, (name) => (Object.hasOwn(environment, name) ? environment[name] : undefined))
}

interface Case {
  readonly name: string
  readonly text: string
  readonly images: readonly string[]
  /** If it is not the last image. */
  readonly base?: string | null
  readonly environment?: Environment
}

const COSIGN: readonly Case[] = [
  { name: 'plain', text: 'FROM gcr.io/test/image', images: ['gcr.io/test/image'] },
  { name: 'tag', text: 'FROM gcr.io/test/image:latest', images: ['gcr.io/test/image:latest'] },
  { name: 'tag with as', text: 'FROM gcr.io/test/image:1.16.5 as build', images: ['gcr.io/test/image:1.16.5'] },
  {
    name: 'fancy-from',
    text: 'FROM --platform=linux/arm64 gcr.io/fancy/test/image AS fancy',
    images: ['gcr.io/fancy/test/image'],
  },
  {
    name: 'multistage',
    text: 'FROM build_image_1\n\t\t\tRUN script1\n\t\t\tFROM build_image_2\n\t\t\tRUN script2\n\t\t\tFROM runtime_image\n\t\t\tCMD bin',
    images: ['build_image_1', 'build_image_2', 'runtime_image'],
  },
  {
    name: 'with-arg',
    text: 'FROM gcr.io/${TEST_IMAGE_REPO_PATH}',
    environment: { TEST_IMAGE_REPO_PATH: 'env/var/test/repo' },
    images: ['gcr.io/env/var/test/repo'],
  },
  {
    name: 'with-value-from-arg',
    text: 'ARG IMAGE=gcr.io/someorg/someimage\nFROM ${IMAGE}',
    images: ['gcr.io/someorg/someimage'],
  },
  {
    name: 'with-value-from-env',
    text: 'ENV IMAGE=gcr.io/someorg/someimage\nFROM ${IMAGE}',
    images: ['gcr.io/someorg/someimage'],
  },
  {
    name: 'with-multiple-values-from-env',
    text: 'ENV IMAGE_ONE=gcr.io/someorg/someimage IMAGE_TWO=gcr.io/someorg/coolimage\nFROM ${IMAGE_ONE}\nFROM ${IMAGE_TWO}',
    images: ['gcr.io/someorg/someimage', 'gcr.io/someorg/coolimage'],
  },
  {
    name: 'with-value-from-arg-from-env',
    text: 'ARG IMAGE=${THING}\nFROM ${IMAGE}',
    environment: { THING: 'gcr.io/someorg/coolimage' },
    images: ['gcr.io/someorg/coolimage'],
  },
  {
    name: 'image-in-copy',
    text: 'COPY --from=gcr.io/someorg/someimage /var/www/html /app',
    images: ['gcr.io/someorg/someimage'],
    base: null,
  },
  {
    name: 'image-in-copy-with-env',
    text: 'ENV IMAGE_HERE=gcr.io/someorg/someimage\nCOPY --from=${IMAGE_HERE} /var/www/html /app',
    images: ['gcr.io/someorg/someimage'],
    base: null,
  },
  {
    name: 'copy-dont-include-prepare-stage-as-images',
    text: 'FROM gcr.io/someorg/coolimage AS prepare\nFROM gcr.io/someorg/someimage AS final\nCOPY --from=prepare /app /app',
    images: ['gcr.io/someorg/coolimage', 'gcr.io/someorg/someimage'],
  },
  {
    name: 'from-references-previous-stage',
    text: 'FROM gcr.io/someorg/baseimage AS base_image\n\t\t\tRUN customize\n\t\t\tFROM base_image',
    images: ['gcr.io/someorg/baseimage'],
  },
  {
    name: 'gauntlet',
    text: 'FROM gcr.io/${TEST_IMAGE_REPO_PATH}/one AS one\nRUN script1\nFROM gcr.io/$TEST_IMAGE_REPO_PATH/${TEST_SUBREPO}:latest\nRUN script2\nFROM --platform=linux/amd64 gcr.io/${TEST_IMAGE_REPO_PATH}/$TEST_RUNTIME_SUBREPO\nCOPY --from=gcr.io/someorg/someimage /etc/config /app/etc/config\nCMD bin',
    environment: {
      TEST_IMAGE_REPO_PATH: 'gauntlet/test',
      TEST_SUBREPO: 'two',
      TEST_RUNTIME_SUBREPO: 'runtime',
      SOMETHING_ELSE: 'something/else',
    },
    images: [
      'gcr.io/gauntlet/test/one',
      'gcr.io/gauntlet/test/two:latest',
      'gcr.io/gauntlet/test/runtime',
      'gcr.io/someorg/someimage',
    ],
    base: 'gcr.io/gauntlet/test/runtime',
  },
]

const OURS: readonly Case[] = [
  { name: 'lower case', text: 'from a as b\nfrom B\ncopy --from=B /x /y', images: ['a'] },
  {
    name: 'scratch',
    text: 'FROM a AS b\nFROM scratch\nCOPY --from=b /x /\nCOPY --from=0 /x /',
    images: ['a'],
    base: null,
  },
  { name: 'a stage on scratch', text: 'FROM scratch AS empty\nFROM empty', images: [], base: null },
  { name: 'a stage with the name of its image', text: 'FROM alpine AS alpine\nFROM alpine', images: ['alpine'] },
  { name: 'the base of an earlier stage', text: 'FROM a AS x\nFROM b AS y\nFROM x', images: ['a', 'b'], base: 'a' },
  {
    name: 'a stage that comes later is an image',
    text: 'FROM a\nCOPY --from=b /x /\nFROM c AS b',
    images: ['a', 'b', 'c'],
  },
  {
    name: 'comments, and a continued line with one',
    text: '# x\nFROM \\\n# FROM evil\n\n  a \\\n  AS \\\n b\nFROM b',
    images: ['a'],
  },
  { name: 'FROM in a continued command', text: 'FROM a\nRUN echo \\\nFROM b', images: ['a'] },
  { name: 'an escaped escape continues nothing', text: 'FROM a\nRUN echo \\\\\nFROM b', images: ['a', 'b'] },
  { name: 'FROM in a heredoc', text: 'FROM a\nRUN <<EOF cat\nFROM b\nEOF\nFROM c', images: ['a', 'c'] },
  {
    name: 'two heredocs, one that takes tabs',
    text: 'FROM a\nCOPY <<-"ONE" <<TWO /x/\nFROM b\n\tONE\nFROM c\nTWO\nFROM d',
    images: ['a', 'd'],
  },
  { name: 'a heredoc for later', text: 'FROM a\nONBUILD RUN <<EOF\nFROM b\nEOF\nFROM c', images: ['a', 'c'] },
  {
    name: 'what looks like a heredoc',
    text: 'FROM a\nRUN cat <<<EOF; echo "<<EOF" $((1<<2)) << EOF\nFROM b',
    images: ['a', 'b'],
  },
  { name: 'no heredoc without a shell', text: 'FROM a\nRUN ["cat", "<<EOF"]\nCMD x <<EOF\nFROM b', images: ['a', 'b'] },
  {
    name: 'another escape',
    text: '# syntax=docker/dockerfile:1\n# escape=`\nFROM `\n  a\nRUN dir c:\\\nFROM b',
    images: ['a', 'b'],
  },
  { name: 'an escape directive that comes too late', text: '\n# escape=`\nFROM a\nRUN x \\\nFROM b', images: ['a'] },
  { name: 'carriage returns and a byte order mark', text: '\ufeffFROM \\\r\n a\r\nFROM b\r\n', images: ['a', 'b'] },
  {
    name: 'mounts',
    text: 'FROM a AS s\nRUN --network=none --mount=type=bind,from=b,target=/x --mount=from=s,target=/y --mount=type=cache,target=/z make',
    images: ['a', 'b'],
    base: 'a',
  },
  { name: 'a flag behind the flags is none', text: 'FROM a\nRUN echo --mount=from=b\nCOPY x --from=b', images: ['a'] },
  { name: 'quotes', text: `ARG A="b/c" D='$A'\nFROM "\${A}"\nFROM 'x'`, images: ['b/c', 'x'] },
  {
    name: 'defaults and alternatives',
    text: 'ARG EMPTY=\nARG SET=s\nFROM ${NONE:-a}\nFROM ${EMPTY:-b}\nFROM c${EMPTY-x}\nFROM ${SET:-${NONE}}\nFROM d${SET:+-e}${NONE:+x}\nFROM ${SET:?must}',
    images: ['a', 'b', 'c', 's', 'd-e', 's'],
  },
  { name: 'the file comes before the environment', text: 'ARG A=a\nFROM $A', environment: { A: 'x' }, images: ['a'] },
  { name: 'what has no default is in the environment', text: 'ARG A\nFROM $A', environment: { A: 'x' }, images: ['x'] },
  {
    name: 'what a stage declares is not for FROM',
    text: 'ARG A=a\nFROM x\nARG A=evil\nENV A=evil\nFROM $A',
    images: ['x', 'a'],
  },
  {
    name: 'a variable without a value that no image needs',
    text: 'ARG A=${NONE}\nFROM --platform=$NONE a\nRUN echo $NONE',
    images: ['a'],
  },
  { name: 'an escaped variable', text: 'ARG A=\\$x\nFROM a', images: ['a'] },
]

for (const [source, cases] of [
  ['cosign', COSIGN],
  ['ours', OURS],
] as const) {
  describe(source, () => {
    for (const { name, text, images, base, environment } of cases) {
      test(name, () => {
        const last = base === null ? undefined : (base ?? images.at(-1))
        assert.deepEqual(read(text, environment), { images, base: last })
      })
    }
  })
}

const REFUSED: readonly (readonly [what: string, text: string, code: string])[] = [
  ['an argument without a value', 'ARG BASE_IMAGE\nFROM ${BASE_IMAGE}', 'DOCKERFILE_VARIABLE'],
  ['a part without a value', 'FROM alpine:$TAG', 'DOCKERFILE_VARIABLE'],
  ['a value that is made of none', 'ARG A=$NONE\nFROM $A', 'DOCKERFILE_VARIABLE'],
  ['a variable that only a stage has', 'FROM a\nENV B=b\nFROM $B', 'DOCKERFILE_VARIABLE'],
  ['a source without a value', 'FROM a\nCOPY --from=$B /x /', 'DOCKERFILE_VARIABLE'],
  ['a mount without a value', 'FROM a\nRUN --mount=from=$B,target=/x y', 'DOCKERFILE_VARIABLE'],
  ['a variable that must be there', 'FROM ${A:?missing}', 'DOCKERFILE_VARIABLE'],
  ['a name of the language', 'FROM $constructor', 'DOCKERFILE_VARIABLE'],
  ['a pattern', 'ARG A=abc\nFROM ${A#a}', 'DOCKERFILE_VARIABLE'],
  ['a brace that stays open', 'ARG A=a\nFROM ${A', 'DOCKERFILE_VARIABLE'],
  ['a quote that stays open', 'FROM "a', 'DOCKERFILE_VARIABLE'],
  ['no name in braces', 'FROM ${}', 'DOCKERFILE_VARIABLE'],
  ['variables in variables without end', `FROM ${'${a:-'.repeat(20)}x${'}'.repeat(20)}`, 'DOCKERFILE_VARIABLE'],
  ['an empty value', 'ARG A=\nFROM $A', 'DOCKERFILE_SYNTAX'],
  ['a stage without a name', 'FROM gcr.io/test/image AS', 'DOCKERFILE_SYNTAX'],
  ['a stage with a name that is none', 'FROM a AS -b', 'DOCKERFILE_SYNTAX'],
  ['nothing', 'FROM', 'DOCKERFILE_SYNTAX'],
  ['two images', 'FROM a b', 'DOCKERFILE_SYNTAX'],
  ['a comment behind an image', 'FROM a # b', 'DOCKERFILE_SYNTAX'],
  ['a stage by a number that there is not', 'FROM a\nCOPY --from=1 /x /', 'DOCKERFILE_SYNTAX'],
  ['an instruction that nobody knows', 'FROM a\nFROME b', 'DOCKERFILE_SYNTAX'],
  ['an instruction behind a space of another kind', 'FROM a\n\u0085FROM b', 'DOCKERFILE_SYNTAX'],
  ['text', 'hello', 'DOCKERFILE_SYNTAX'],
  ['a heredoc that does not end', 'FROM a\nRUN <<EOF\nFROM b', 'DOCKERFILE_SYNTAX'],
  ['two escapes', '# escape=`\n# escape=\\\nFROM a', 'DOCKERFILE_SYNTAX'],
  ['an escape of another kind', '# escape=x\nFROM a', 'DOCKERFILE_SYNTAX'],
  ['a trigger in a trigger', 'FROM a\nONBUILD ONBUILD RUN x', 'DOCKERFILE_SYNTAX'],
  ['values that double', `ARG A=aaaaaaaa\n${'ARG A=$A$A\n'.repeat(20)}FROM $A`, 'DOCKERFILE_LIMIT'],
  ['values that double in quotes', `ARG A=aaaaaaaa\n${'ARG A="$A$A"\n'.repeat(20)}FROM $A`, 'DOCKERFILE_LIMIT'],
  ['a text without end', 'FROM a\n'.repeat(700_000), 'DOCKERFILE_LIMIT'],
]
for (const [what, text, code] of REFUSED) {
  test(`refuses ${what}`, () => {
    assert.throws(() => read(text), { code })
  })
}

test('takes the time that reading takes', () => {
  const long = 1_000_000
  for (const text of [
    `FROM a\nRUN ${' '.repeat(long)}x`,
    `# a = ${' b'.repeat(long)}\nFROM a`,
    `FROM a\nRUN ${'"'.repeat(long)} <<EOF\nEOF`,
    `FROM a\nRUN --mount=${',from'.repeat(100_000)} x`,
    `FROM ${'$'.repeat(long)}`,
    `FROM ${'"${a:-'.repeat(100_000)}`,
    `FROM a\nONBUILD ${'ONBUILD '.repeat(100_000)}`,
    `FROM a\nRUN ${'['.repeat(long)}<<`,
  ]) {
    try {
      read(text)
    } catch (error) {
      assert.ok(isCodedError(error), String(error))
    }
  }
})

test('any text gives images or a coded error', () => {
  const piece = fc.oneof(
    fc.string({ unit: 'binary', maxLength: 12 }),
    fc.constantFrom(
      'FROM ',
      'ARG A=',
      'RUN ',
      'COPY --from=',
      '--mount=from=',
      ' AS b',
      '\n',
      '\\\n',
      '<<EOF',
      'EOF\n',
      '${',
      '}',
      ':-',
      '$A',
      '"',
      "'",
      '# ',
      '# escape=`\n',
      'ONBUILD ',
    ),
  )
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 30 }), (pieces) => {
      try {
        const { images } = read(pieces.join(''), { A: 'a' })
        for (const image of images) assert.notEqual(image, '')
      } catch (error) {
        if (!isCodedError(error)) throw error
      }
    }),
    { numRuns: fuzzRuns() },
  )
})

test('what is written is found, however it is written', () => {
  const name = fc
    .stringMatching(/^[a-z]{1,8}(?:\/[a-z]{1,8})?(?::[a-z0-9]{1,5})?$/)
    .filter((text) => text !== 'scratch')
  const stage = fc.record({
    image: name,
    how: fc.constantFrom('plain', 'arg', 'quoted', 'continued', 'default', 'copy', 'mount'),
  })
  fc.assert(
    fc.property(fc.array(stage, { minLength: 1, maxLength: 6 }), fc.boolean(), (stages, lower) => {
      const args = stages.map(({ image }, index) => `ARG V${String(index)}=${image}`)
      const lines = stages.map(({ image, how }, index) => {
        const from = lower ? 'from' : 'FROM'
        switch (how) {
          case 'arg':
            return `${from} \${V${String(index)}}`
          case 'quoted':
            return `${from} "${image}"`
          case 'continued':
            return `${from} \\\n# ${from} evil\n ${image}`
          case 'default':
            return `${from} \${NONE:-$V${String(index)}}`
          case 'copy':
            return `COPY --chown=x --from=${image} /a /b`
          case 'mount':
            return `RUN --mount=type=bind,from=${image},target=/x <<END\n${from} evil\nEND`
          default:
            return `${from} ${image}`
        }
      })
      const { images } = read([...args, ...lines].join('\n'))
      assert.deepEqual(
        images,
        stages.map(({ image }) => image),
      )
    }),
    { numRuns: fuzzRuns() },
  )
})
