// On whose behalf something is asked.

/** `name` is null for an anonymous caller; `via` is the way of asking. */
export interface Actor {
  name: string | null
  via: 'rest' | 'rpc' | 'dashboard'
}
