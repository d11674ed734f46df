// What this process takes of the machine.

/** Memory now, and the share of one core since the last call (1 = one core, all the time). */
export const createProcessFigures = (): (() => { rssBytes: number; cpu: number }) => {
  let before = { usage: process.cpuUsage(), at: process.hrtime.bigint() }
  return () => {
    const now = { usage: process.cpuUsage(), at: process.hrtime.bigint() }
    const used = now.usage.user - before.usage.user + now.usage.system - before.usage.system
    const passed = Number(now.at - before.at) / 1000
    before = now
    return {
      rssBytes: process.memoryUsage.rss(),
      cpu: passed > 0 ? Math.round((used / passed) * 1000) / 1000 : 0,
    }
  }
}
