/** Routes as data and the router that walks them. @module */
import type { Handler } from './handler.js'
import { json } from './responses.js'

export type Method = 'GET' | 'HEAD' | 'POST' | 'PUT' | 'PATCH' | 'DELETE' | 'OPTIONS'

type ParamNames<Path extends string> = Path extends `${string}{${infer Name}}${infer Rest}`
  ? (Name extends `${infer Plain}+` ? Plain : Name) | ParamNames<Rest>
  : never

/** The captured parts of a path, percent-decoded. */
export type Params<Path extends string> = Readonly<Record<ParamNames<Path>, string>>

/** One route. Build it with {@link route}, which types the parameters. */
export interface Route {
  readonly method: Method
  readonly path: string
  readonly handle: (request: Request, params: Readonly<Record<string, string>>) => Promise<Response>
}

/**
 * A route. `{name}` in the path captures one segment, `{name+}` one or more (at most one of these in a path).
 * A GET route also serves HEAD unless there is a HEAD route of its own.
 */
export function route<const Path extends string>(
  method: Method,
  path: Path,
  handle: (request: Request, params: Params<Path>) => Promise<Response>,
): Route {
  // Safe: the router captures exactly the names in `path`, so the record it passes is a Params<Path>.
  return { method, path, handle }
}

interface CompiledRoute {
  readonly route: Route
  readonly pattern: RegExp
  readonly names: readonly string[]
  readonly spans: readonly boolean[]
}

interface Match {
  readonly route: Route
  readonly params: Readonly<Record<string, string>>
}

/** What the router does when nothing fits; the defaults answer plain JSON problems. */
export interface RouterOptions {
  readonly notFound?: Handler
  readonly methodNotAllowed?: (request: Request, allowed: readonly Method[]) => Promise<Response>
}

const matched = new WeakMap<Request, string>()

/** The path pattern of the route that served a request, for metrics and logs; undefined if none did. */
export function matchedRoute(request: Request): string | undefined {
  return matched.get(request)
}

/** A handler that walks a list of routes: fixed paths by table, patterns in the order listed. */
export function router(routes: readonly Route[], options: RouterOptions = {}): Handler {
  const fixed = new Map<string, Route[]>()
  const patterns: CompiledRoute[] = []
  for (const one of routes) {
    if (one.path.includes('{')) patterns.push(compile(one))
    else fixed.set(one.path, [...(fixed.get(one.path) ?? []), one])
  }
  const notFound = options.notFound ?? defaultNotFound
  const methodNotAllowed = options.methodNotAllowed ?? defaultMethodNotAllowed

  return async (request) => {
    const path = pathOf(request.url)
    const matches = candidates(path, fixed, patterns)
    const found = pick(matches, request.method)
    if (found !== undefined) {
      matched.set(request, found.route.path)
      return found.route.handle(request, found.params)
    }
    if (matches.length === 0) return notFound(request)
    return methodNotAllowed(request, allowedMethods(matches))
  }
}

function allowedMethods(matches: readonly Match[]): Method[] {
  const methods = new Set(matches.map((match) => match.route.method))
  if (methods.has('GET')) methods.add('HEAD')
  return [...methods]
}

/** The path of an absolute URL, still percent-encoded. */
export function pathOf(url: string): string {
  const start = url.indexOf('/', url.indexOf('://') + 3)
  if (start < 0) return '/'
  const end = url.slice(start).search(/[?#]/)
  return end < 0 ? url.slice(start) : url.slice(start, start + end)
}

/** The query parameters of a request. */
export function queryOf(request: Request): URLSearchParams {
  return new URL(request.url).searchParams
}

function candidates(path: string, fixed: ReadonlyMap<string, Route[]>, patterns: readonly CompiledRoute[]): Match[] {
  const matches: Match[] = (fixed.get(path) ?? []).map((one) => ({ route: one, params: {} }))
  for (const compiled of patterns) {
    const hit = compiled.pattern.exec(path)
    const params = hit === null ? undefined : decodeParams(compiled, hit)
    if (params !== undefined) matches.push({ route: compiled.route, params })
  }
  return matches
}

function pick(matches: readonly Match[], method: string): Match | undefined {
  const exact = matches.find((match) => match.route.method === method)
  if (exact !== undefined || method !== 'HEAD') return exact
  return matches.find((match) => match.route.method === 'GET')
}

function compile(one: Route): CompiledRoute {
  const names: string[] = []
  const spans: boolean[] = []
  const source = one.path.replace(/\{([^}]+)\}|[^{]+/g, (part, name: string | undefined) => {
    if (name === undefined) return part.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')
    const spanning = name.endsWith('+')
    names.push(spanning ? name.slice(0, -1) : name)
    spans.push(spanning)
    return spanning ? '(.+)' : '([^/]+)'
  })
  return { route: one, pattern: new RegExp(`^${source}$`), names, spans }
}

/** Undefined if a part is not valid percent-encoding, or a single segment hides a slash or a NUL: then nothing matches. */
function decodeParams(compiled: CompiledRoute, hit: RegExpExecArray): Readonly<Record<string, string>> | undefined {
  const params: Record<string, string> = Object.create(null) as Record<string, string>
  for (const [index, name] of compiled.names.entries()) {
    const value = decodePart(hit[index + 1] ?? '')
    if (value === undefined || value.includes('\0')) return undefined
    if (compiled.spans[index] === false && value.includes('/')) return undefined
    params[name] = value
  }
  return params
}

function decodePart(part: string): string | undefined {
  if (!part.includes('%')) return part
  try {
    return decodeURIComponent(part)
  } catch {
    return undefined
  }
}

function defaultNotFound(): Promise<Response> {
  return Promise.resolve(json(404, { code: 404, message: 'there is nothing at this path' }))
}

function defaultMethodNotAllowed(request: Request, allowed: readonly Method[]): Promise<Response> {
  const message = `${request.method} is not possible here`
  return Promise.resolve(json(405, { code: 405, message }, { allow: allowed.join(', ') }))
}
