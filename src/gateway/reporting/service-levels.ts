import { z } from 'zod'
import { createServiceLevelsFold, type ServiceLevelsReport } from '../../reports/service-levels.ts'
import { serviceLevelsJson } from '../../reports/service-levels-json.ts'
import type { ServicePromise } from '../../reports/service-promise.ts'
import { livesOf } from './detail.ts'
import type { ReportRoute } from './report-route.ts'
import { serviceLevelsAnswer } from './service-levels-answer.ts'
import { figureParameters, readFigurePeriod } from './spend-asked.ts'
import { boundsOf } from './spend-reading.ts'

const { from, to, zone } = figureParameters

const serviceLevelsAsked = z
  .strictObject({
    ...{ from, to, zone },
    by: z.enum(['model', 'endpoint']).optional().describe('endpoint: each endpoint of a model by itself.'),
  })
  .transform(({ by = 'model', ...rest }, context) => {
    const period = readFigurePeriod(rest, context)
    return { from: period.from, to: period.to, byEndpoint: by === 'endpoint' }
  })

/** How well vendors served, beside what they promise. */
export const serviceLevelsRoute = (
  promises: readonly ServicePromise[],
): ReportRoute<typeof serviceLevelsAsked, ServiceLevelsReport> => ({
  name: 'service-levels',
  summary: 'How well vendors served: availability, errors and latency, beside what they promise',
  asked: serviceLevelsAsked,
  answer: serviceLevelsAnswer,
  errors: [],
  read: async (source, asked) => {
    const fold = createServiceLevelsFold(asked, promises)
    for await (const lives of livesOf(source, boundsOf(asked))) fold.add(lives)
    return fold.result()
  },
  json: serviceLevelsJson,
})
