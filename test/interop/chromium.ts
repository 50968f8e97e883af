/** A real browser for tests: Chromium over its debugging pipe, which needs no package. @module */
import { spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { existsSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Readable, Writable } from 'node:stream'

const PLACES = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome']

/** Where the browser is, or undefined if this machine has none. */
export function findChromium(): string | undefined {
  return PLACES.find((path) => existsSync(path))
}

/** One page of a browser. */
export interface BrowserPage {
  goto(url: string): Promise<void>
  /** Runs an expression in the page and returns its JSON value. */
  evaluate(expression: string): Promise<unknown>
  /** Clicks the element as a person does: with the mouse, in its middle. */
  click(selector: string): Promise<void>
  /** Types into whatever has the focus. */
  type(text: string): Promise<void>
  /** Waits until an expression in the page is true. */
  waitFor(expression: string): Promise<void>
  /** Waits until the page's address has this start. */
  waitForAddress(start: string): Promise<string>
  screenshot(): Promise<Uint8Array>
}

interface Message {
  readonly id?: number
  readonly method?: string
  readonly params?: Readonly<Record<string, unknown>>
  readonly result?: Readonly<Record<string, unknown>>
  readonly error?: { readonly message: string }
}

type Send = (method: string, params?: Readonly<Record<string, unknown>>) => Promise<Readonly<Record<string, unknown>>>

/** Opens a browser with one page, hands it to `use`, and closes it whatever happens. */
export async function withBrowser(program: string, use: (page: BrowserPage) => Promise<void>): Promise<void> {
  const profile = await mkdtemp(join(tmpdir(), 'chromium-'))
  const child = spawn(
    program,
    [
      '--headless=new',
      '--no-sandbox',
      '--disable-gpu',
      '--no-first-run',
      '--remote-debugging-pipe',
      `--user-data-dir=${profile}`,
      'about:blank',
    ],
    { stdio: ['ignore', 'ignore', 'ignore', 'pipe', 'pipe'] },
  )
  try {
    await use(await openPage(child))
  } finally {
    const gone = new Promise((resolve) => child.once('exit', resolve))
    child.kill('SIGKILL')
    await gone
    await rm(profile, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 })
  }
}

async function openPage(child: ChildProcess): Promise<BrowserPage> {
  const connection = connect(child)
  const { targetId } = await connection(undefined)('Target.createTarget', { url: 'about:blank' })
  const { sessionId } = await connection(undefined)('Target.attachToTarget', { targetId, flatten: true })
  const send = connection(String(sessionId))
  await send('Page.enable')
  const evaluate = async (expression: string): Promise<unknown> => {
    const { result } = await send('Runtime.evaluate', { expression, returnByValue: true, awaitPromise: true })
    return (result as { value?: unknown }).value
  }
  const until = async (expression: string): Promise<unknown> => {
    for (;;) {
      const value = await evaluate(expression).catch(() => undefined) // the page may be changing
      if (value !== undefined && value !== null && value !== false) return value
      await new Promise((resolve) => setTimeout(resolve, 20))
    }
  }
  return {
    evaluate,
    async goto(url) {
      await send('Page.navigate', { url })
      await until(`document.readyState === 'complete' && location.href !== 'about:blank'`)
    },
    async click(selector) {
      const text = JSON.stringify(selector)
      const box = (await until(
        `(() => { const e = document.querySelector(${text}); if (!e) return null; e.scrollIntoView(); const r = e.getBoundingClientRect(); return { x: r.x + r.width / 2, y: r.y + r.height / 2 } })()`,
      )) as { x: number; y: number }
      for (const type of ['mousePressed', 'mouseReleased'])
        await send('Input.dispatchMouseEvent', { type, ...box, button: 'left', clickCount: 1 })
    },
    async type(text) {
      await send('Input.insertText', { text })
    },
    async waitFor(expression) {
      await until(expression)
    },
    waitForAddress: async (start) =>
      String(await until(`location.href.startsWith(${JSON.stringify(start)}) && location.href`)),
    async screenshot() {
      const { data } = await send('Page.captureScreenshot', { format: 'png' })
      return Buffer.from(String(data), 'base64')
    },
  }
}

/** The debugging protocol over two pipes: JSON values that end with a NUL. */
function connect(child: ChildProcess): (sessionId: string | undefined) => Send {
  const [toBrowser, fromBrowser] = [child.stdio[3] as Writable, child.stdio[4] as Readable]
  const waiting = new Map<
    number,
    { resolve: (value: Readonly<Record<string, unknown>>) => void; reject: (error: Error) => void }
  >()
  let last = 0
  let rest = ''
  fromBrowser.setEncoding('utf8')
  fromBrowser.on('data', (chunk: string) => {
    const parts = (rest + chunk).split('\0')
    rest = parts.pop() ?? ''
    for (const part of parts) settle(JSON.parse(part) as Message)
  })
  child.once('exit', () => {
    for (const { reject } of waiting.values()) reject(new Error('the browser is gone'))
  })
  return (sessionId) =>
    (method, params = {}) =>
      new Promise((resolve, reject) => {
        const id = ++last
        waiting.set(id, { resolve, reject })
        toBrowser.write(`${JSON.stringify({ id, method, params, ...(sessionId !== undefined && { sessionId }) })}\0`)
      })

  function settle({ id, result, error }: Message): void {
    const one = id === undefined ? undefined : waiting.get(id)
    if (one === undefined || id === undefined) return
    waiting.delete(id)
    if (error === undefined) one.resolve(result ?? {})
    else one.reject(new Error(error.message))
  }
}
