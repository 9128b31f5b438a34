import { listSessions, logIn, logOut, refreshSession, revokeSession } from '@gantry/contracts/auth/auth-requests';
import type { ParsedInputOf } from '@gantry/contracts/messaging/request';
import { HandleRequest, type InboundRequest } from '@gantry/jetstream/nest/decorators';
import { Controller, UseInterceptors } from '@nestjs/common';
import { AuthApplication } from '../../auth.application.js';
import { CurrentDirectory } from './current-directory.interceptor.js';

@Controller()
@UseInterceptors(CurrentDirectory)
export class SessionRequests {
  constructor(private readonly application: AuthApplication) {}

  @HandleRequest(logIn)
  logIn(input: ParsedInputOf<typeof logIn>, request: InboundRequest) {
    return this.application.logIn.handle(input, request.context);
  }

  @HandleRequest(refreshSession)
  refreshSession(input: ParsedInputOf<typeof refreshSession>, request: InboundRequest) {
    return this.application.refreshSession.handle(input, request.context);
  }

  @HandleRequest(logOut)
  logOut(input: ParsedInputOf<typeof logOut>, request: InboundRequest) {
    return this.application.logOut.handle(input, request.context);
  }

  @HandleRequest(listSessions)
  async listSessions(input: ParsedInputOf<typeof listSessions>, request: InboundRequest) {
    return this.application.query.sessions(input, request.context);
  }

  @HandleRequest(revokeSession)
  revokeSession(input: ParsedInputOf<typeof revokeSession>, request: InboundRequest) {
    return this.application.revokeSession.handle(input, request.context);
  }
}
