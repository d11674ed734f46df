// GET /overview.json: what is wrong, tasks by status, failures of the last day. GET /kinds.json: what each kind does.
// GET /settings.json: the settings.
import { Hono } from 'hono'
import { type DashboardEnv, requireRight } from '../access/caller.ts'
import type { KindFigures } from './kind-figures.ts'
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
  kindFigures: () => Promise<KindFigures>
  /** As of the start of this process. */
  settings: readonly SettingInEffect[]
}

export const createOverviewRoutes = ({
  overview,
  kindFigures,
  settings,
}: OverviewRoutesOptions): Hono<DashboardEnv> =>
  new Hono<DashboardEnv>()
    .get('/overview.json', requireRight('look'), async c => c.json(await overview()))
    .get('/kinds.json', requireRight('look'), async c => c.json(await kindFigures()))
    .get('/settings.json', requireRight('look'), c => c.json({ settings }))
