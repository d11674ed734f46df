// What the settings say of sign-in by OpenID Connect: where its two ends are, and which role the groups of a person
// give. Pure.
import { ACCOUNT_ROLES, type AccountRole } from '../../core/policy.ts'
import type { OidcDoor } from '../access.ts'

export interface OidcOptions {
  /** As the provider's discovery document has it. */
  issuer: string
  clientId: string
  /** Null: a public client. */
  clientSecret: string | null
  /** The origins where browsers reach the two doors; null: no sign-in there. */
  apiUrl: string | null
  dashboardUrl: string | null
  roles: readonly { group: string; role: AccountRole }[]
  groupsClaim: string
  /** With blanks between them. */
  scopes: string
  /** What people call the provider. */
  name: string
}

/** Stands for everybody in the place of a group. */
const EVERYBODY = '*'

/** Where a sign-in begins at each door. It ends at `/callback` below. */
export const SIGN_IN_PATH: Readonly<Record<OidcDoor, string>> = {
  rest: '/sessions/oidc',
  dashboard: '/login/oidc',
}

/** Never made of a request: its Host header is the client's. Null: there is no sign-in at this door. */
export const originOfDoor = ({ apiUrl, dashboardUrl }: OidcOptions, door: OidcDoor): string | null =>
  door === 'rest' ? apiUrl : dashboardUrl

/** The redirect URI of a door, which the provider must know. */
export const callbackOf = (origin: string, door: OidcDoor): URL =>
  new URL(`${SIGN_IN_PATH[door]}/callback`, origin)

/** The highest role of all groups; null: none has one. */
export const roleOfGroups = (roles: OidcOptions['roles'], groups: readonly string[]): AccountRole | null => {
  const given = new Set(
    roles.filter(({ group }) => group === EVERYBODY || groups.includes(group)).map(({ role }) => role),
  )
  return ACCOUNT_ROLES.findLast(role => given.has(role)) ?? null
}
