import { getSigningKeys } from '@gantry/contracts/auth/auth-requests';
import { HandleRequest } from '@gantry/jetstream/nest/decorators';
import { Controller, UseInterceptors } from '@nestjs/common';
import { AuthApplication } from '../../auth.application.js';
import { CurrentDirectory } from './current-directory.interceptor.js';

/** Public keys are for everybody. */
@Controller()
@UseInterceptors(CurrentDirectory)
export class SigningKeyRequests {
  constructor(private readonly application: AuthApplication) {}

  @HandleRequest(getSigningKeys)
  async getSigningKeys() {
    return { keys: [...this.application.signer.publicKeys()] };
  }
}
