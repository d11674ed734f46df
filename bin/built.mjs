// Loads modules of the build, with the types of their sources, so that type checks work without a build.

/**
 * @typedef {{
 *   'cli/run': typeof import('../src/cli/run.ts'),
 *   'config': typeof import('../src/config.ts'),
 *   'core/readiness': typeof import('../src/core/readiness.ts'),
 *   'load-kinds': typeof import('../src/load-kinds.ts'),
 *   'dashboard/access/reset-login': typeof import('../src/dashboard/access/reset-login.ts'),
 *   'dashboard/access/settle-logins': typeof import('../src/dashboard/access/settle-logins.ts'),
 *   'dashboard/access/take-over-logins': typeof import('../src/dashboard/access/take-over-logins.ts'),
 *   'platform/env-file': typeof import('../src/platform/env-file.ts'),
 *   'platform/listen-error': typeof import('../src/platform/listen-error.ts'),
 *   'platform/log': typeof import('../src/platform/log.ts'),
 *   'platform/log-files': typeof import('../src/platform/log-files.ts'),
 *   'platform/watch-files': typeof import('../src/platform/watch-files.ts'),
 *   'platform/module-files': typeof import('../src/platform/module-files.ts'),
 *   'platform/modules': typeof import('../src/platform/modules.ts'),
 *   'platform/visible': typeof import('../src/platform/visible.ts'),
 *   'wire': typeof import('../src/wire.ts'),
 * }} Built
 */

/**
 * @template {keyof Built} Name
 * @param {Name} name
 * @returns {Promise<Built[Name]>}
 */
export const built = name => import(new URL(`../dist/${name}.js`, import.meta.url).href)
