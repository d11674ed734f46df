// GET /overview.json: what is wrong, tasks by status, failures of the last day. GET /settings.json: the settings.
import { Hono } from 'hono'
import { type DashboardEnv, requireSession } from '../login.ts'
import type { Overview } from './overview.ts'

/** A setting in effect. A secret is masked. */
export interface SettingInEffect {
  name: string
  value: string
  default: string
  source: 'default' | 'environment' | '.env'
  meaning: string
  isSecret: boolean
}

export interface OverviewRoutesOptions {
  overview: () => Promise<Overview>
  /** As of the start of this process. */
  settings: readonly SettingInEffect[]
}

export const createOverviewRoutes = ({ overview, settings }: OverviewRoutesOptions): Hono<DashboardEnv> =>
  new Hono<DashboardEnv>()
    .get('/overview.json', requireSession, async c => c.json(await overview()))
    .get('/settings.json', requireSession, c => c.json({ settings }))
