package io.takhin.testkit.protocol;

import io.takhin.api.protocol.ProtocolServer;
import io.takhin.testkit.TestContext;

class GreetingServerTest extends ProtocolServerContract {
  @Override
  protected TestContext context() {
    return TestContext.real().build();
  }

  @Override
  protected ProtocolServer server(int port, TestContext context) {
    return new GreetingServer(port, context);
  }
}
