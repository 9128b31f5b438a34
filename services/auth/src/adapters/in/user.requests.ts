import {
  changePassword,
  changeRole,
  getProfile,
  listUsers,
  registerUser,
  updateProfile,
} from '@gantry/contracts/auth/auth-requests';
import type { ParsedInputOf } from '@gantry/contracts/messaging/request';
import { HandleRequest, type InboundRequest } from '@gantry/jetstream/nest/decorators';
import { Controller, UseInterceptors } from '@nestjs/common';
import { AuthApplication } from '../../auth.application.js';
import { CurrentDirectory } from './current-directory.interceptor.js';

@Controller()
@UseInterceptors(CurrentDirectory)
export class UserRequests {
  constructor(private readonly application: AuthApplication) {}

  @HandleRequest(registerUser)
  registerUser(input: ParsedInputOf<typeof registerUser>, request: InboundRequest) {
    return this.application.registerUser.handle(input, request.context);
  }

  @HandleRequest(getProfile)
  async getProfile(input: ParsedInputOf<typeof getProfile>, request: InboundRequest) {
    return this.application.query.profile(input, request.context);
  }

  @HandleRequest(updateProfile)
  updateProfile(input: ParsedInputOf<typeof updateProfile>, request: InboundRequest) {
    return this.application.updateProfile.handle(input, request.context);
  }

  @HandleRequest(changePassword)
  changePassword(input: ParsedInputOf<typeof changePassword>, request: InboundRequest) {
    return this.application.changePassword.handle(input, request.context);
  }

  @HandleRequest(listUsers)
  async listUsers(input: ParsedInputOf<typeof listUsers>, request: InboundRequest) {
    return this.application.query.users(input, request.context);
  }

  @HandleRequest(changeRole)
  changeRole(input: ParsedInputOf<typeof changeRole>, request: InboundRequest) {
    return this.application.changeRole.handle(input, request.context);
  }
}
