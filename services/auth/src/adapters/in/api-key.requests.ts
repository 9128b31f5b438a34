import { createApiKey, listApiKeys, revokeApiKey, verifyApiKey } from '@gantry/contracts/auth/auth-requests';
import type { ParsedInputOf } from '@gantry/contracts/messaging/request';
import { HandleRequest, type InboundRequest } from '@gantry/jetstream/nest/decorators';
import { Controller, UseInterceptors } from '@nestjs/common';
import { AuthApplication } from '../../auth.application.js';
import { CurrentDirectory } from './current-directory.interceptor.js';

@Controller()
@UseInterceptors(CurrentDirectory)
export class ApiKeyRequests {
  constructor(private readonly application: AuthApplication) {}

  @HandleRequest(createApiKey)
  createApiKey(input: ParsedInputOf<typeof createApiKey>, request: InboundRequest) {
    return this.application.createApiKey.handle(input, request.context);
  }

  @HandleRequest(listApiKeys)
  async listApiKeys(input: ParsedInputOf<typeof listApiKeys>, request: InboundRequest) {
    return this.application.query.apiKeys(input, request.context);
  }

  @HandleRequest(revokeApiKey)
  revokeApiKey(input: ParsedInputOf<typeof revokeApiKey>, request: InboundRequest) {
    return this.application.revokeApiKey.handle(input, request.context);
  }

  @HandleRequest(verifyApiKey)
  async verifyApiKey(input: ParsedInputOf<typeof verifyApiKey>) {
    return this.application.verifyApiKey.handle(input);
  }
}
