// Counts and times the requests of the REST API, by method, route and status.
import type { MiddlewareHandler } from 'hono'
import { matchedRoutes } from 'hono/route'
import { Histogram, Registry } from 'prom-client'
import type { ApiEnv } from './context.ts'

export interface HttpMetrics {
  /** From here to the head of the answer: a long body is streamed afterwards. */
  readonly measure: MiddlewareHandler<ApiEnv>
  /** In Prometheus's text format. */
  text(): Promise<string>
}

/** A label that a stranger could choose would grow without bound. */
const METHODS = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS']

export const createHttpMetrics = (): HttpMetrics => {
  const registry = new Registry()
  const seconds = new Histogram({
    name: 'madhava_http_request_seconds',
    help: 'Requests of the REST API, from their arrival to the head of the answer.',
    labelNames: ['method', 'route', 'status'],
    buckets: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30],
    registers: [registry],
  })
  return {
    async measure(c, next) {
      const begun = performance.now()
      await next()
      const route = matchedRoutes(c)
        .map(({ path }) => path)
        .findLast(path => path !== '/*' && path !== '*')
      seconds.observe(
        {
          method: METHODS.includes(c.req.method) ? c.req.method : 'other',
          route: route ?? 'none',
          status: c.res.status,
        },
        (performance.now() - begun) / 1000,
      )
    },
    text: () => registry.metrics(),
  }
}
