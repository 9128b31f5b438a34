import { getSigningKeys } from '@gantry/contracts/auth/auth-requests';
import { HandleRequest } from '@gantry/jetstream/nest/decorators';
import { Controller } from '@nestjs/common';
import { AuthApplication } from '../../auth.application.js';

/** Public keys are for everybody. */
@Controller()
export class SigningKeyRequests {
  constructor(private readonly application: AuthApplication) {}

  @HandleRequest(getSigningKeys)
  async getSigningKeys() {
    return { keys: [...this.application.signer.publicKeys()] };
  }
}
