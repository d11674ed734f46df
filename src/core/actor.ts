// Who a request is made for.

/** `name` is null for an anonymous caller. `via` is the API that the request came through. */
export interface Actor {
  name: string | null
  via: 'rest' | 'rpc' | 'dashboard'
}
