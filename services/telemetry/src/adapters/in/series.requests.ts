import type { OutputOf, ParsedInputOf } from '@gantry/contracts/messaging/request';
import { getSeries } from '@gantry/contracts/telemetry/telemetry-requests';
import { HandleRequest } from '@gantry/jetstream/nest/decorators';
import type { Clock } from '@gantry/kernel/clock';
import { CLOCK } from '@gantry/nest-platform/tokens';
import { Controller, Inject } from '@nestjs/common';
import { SeriesReader } from '../../projections/samples/series.reader.js';

@Controller()
export class SeriesRequests {
  constructor(
    private readonly series: SeriesReader,
    @Inject(CLOCK) private readonly clock: Clock,
  ) {}

  @HandleRequest(getSeries)
  read(input: ParsedInputOf<typeof getSeries>): Promise<OutputOf<typeof getSeries>> {
    return this.series.read(input, this.clock.now());
  }
}
