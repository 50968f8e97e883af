/** Questions to the person at the terminal. @module */
import { CliError } from './kit/errors.js'
import type { Host } from './kit/host.js'

const QUESTION = 'Are you sure you would like to continue? [y/N] '

/**
 * Asks for a yes. An empty answer or the end of input is a no.
 * @throws {@link CliError} `CLI_PROMPT_DECLINED`, or `CLI_PROMPT_ANSWER` for an answer that is neither.
 */
export async function confirmContinue(host: Host): Promise<void> {
  host.terminal.writeError(QUESTION)
  const answer = (await host.terminal.readLine())?.trim().toLowerCase() ?? ''
  if (answer === 'y' || answer === 'yes') return
  if (answer === '' || answer === 'n' || answer === 'no')
    throw new CliError('CLI_PROMPT_DECLINED', 'user declined the prompt')
  throw new CliError('CLI_PROMPT_ANSWER', `invalid input ${JSON.stringify(answer)} (allowed values y, n)`)
}

/** Asks before a file is replaced, unless it was said that this is fine. */
export async function confirmOverwrite(host: Host, path: string, { yes }: { readonly yes: boolean }): Promise<void> {
  if (yes || !(await host.files.exists(path))) return
  host.terminal.note(`WARNING: File ${path} already exists. Overwrite?`)
  await confirmContinue(host)
}
