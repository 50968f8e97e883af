/** Whatever a forge answers, and whatever it is asked for: a value or a coded error, with nothing of a token in it. @module */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { randomBytes } from '#crypto/random'
import { isCodedError } from '#errors'
import { fetchInProcess } from '#serving/in-process'
import { fuzzRuns } from '#testing/fuzz'
import { openGithubSecrets } from './github.js'
import { openGitlabVariables } from './gitlab.js'

const TOKEN = 'forge-secret-word'
const env = { GITLAB_TOKEN: TOKEN, GITHUB_TOKEN: TOKEN }
const signal = new AbortController().signal
const answers = fc.record({
  status: fc.constantFrom(200, 201, 204, 301, 400, 401, 403, 404, 422, 429, 500),
  body: fc.oneof(
    fc.string(),
    fc.json(),
    fc
      .dictionary(fc.constantFrom('value', 'key', 'key_id', 'id'), fc.oneof(fc.string(), fc.jsonValue()))
      .map((object) => JSON.stringify(object)),
  ),
})
const references = fc.oneof(fc.constantFrom('team/app', 'team'), fc.string(), fc.webPath())

test('any answer to any reference', async () => {
  await fc.assert(
    fc.asyncProperty(references, fc.array(answers, { minLength: 1 }), async (reference, given) => {
      let asked = 0
      const fetch = fetchInProcess((request) => {
        const { host, pathname } = new URL(request.url)
        assert.match(
          `${host}${pathname}`,
          /^(?:gitlab\.com\/api\/v4\/(?:projects|groups)|api\.github\.com\/(?:repos|orgs))\//,
        )
        const { status, body } = given[asked++ % given.length]!
        return Promise.resolve(new Response(status === 204 ? null : body, { status }))
      })
      const ports = { fetch, env, random: randomBytes }
      const gitlab = async (): Promise<void> => {
        const variables = await openGitlabVariables(ports, reference, signal)
        await variables.read('NAME')
        await variables.write('NAME', 'a value')
      }
      const github = async (): Promise<void> => {
        await openGithubSecrets(ports, reference, signal).write('NAME', new Uint8Array(3))
      }
      for (const attempt of [gitlab, github]) {
        const error = await attempt().then(
          () => undefined,
          (thrown: unknown) => thrown,
        )
        assert.ok(error === undefined || isCodedError(error), String(error))
        assert.ok(!JSON.stringify([error?.message, error?.found, error?.hint]).includes(TOKEN))
      }
    }),
    { numRuns: fuzzRuns() },
  )
})
