/** What a service is: a function from a web-standard request to a response. @module */

/** A service, or a part of one. Rejects only on a fault of the server itself; every fault of the caller is a response. */
export type Handler = (request: Request) => Promise<Response>

/** Wraps a handler: sees the request first and the response last. */
export type Middleware = (next: Handler) => Handler

/** Applies middlewares so that the first one listed is the outermost. */
export function compose(handler: Handler, ...middlewares: readonly Middleware[]): Handler {
  return middlewares.reduceRight((next, wrap) => wrap(next), handler)
}
