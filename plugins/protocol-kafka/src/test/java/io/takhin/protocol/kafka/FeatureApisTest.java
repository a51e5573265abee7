package io.takhin.protocol.kafka;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.takhin.api.ErrorCode;
import io.takhin.testkit.cluster.InMemoryCluster;
import org.apache.kafka.common.message.UpdateFeaturesRequestData;
import org.apache.kafka.common.message.UpdateFeaturesRequestData.FeatureUpdateKey;
import org.apache.kafka.common.message.UpdateFeaturesResponseData;
import org.apache.kafka.common.protocol.ApiKeys;
import org.junit.jupiter.api.Test;

class FeatureApisTest {
  private static final String FEATURE = "transaction.version";
  private final InMemoryCluster cluster = new InMemoryCluster();

  private RecordingExchange ask(int version, FeatureUpdateKey update, boolean validateOnly) {
    UpdateFeaturesRequestData request = new UpdateFeaturesRequestData();
    request.featureUpdates().add(update.setFeature(FEATURE));
    if (version > 0) {
      request.setValidateOnly(validateOnly);
    }
    return new RecordingExchange(ApiKeys.UPDATE_FEATURES, version)
        .ask(new FeatureApis(cluster).apis(), request);
  }

  private UpdateFeaturesResponseData update(int version, int level, int type) {
    FeatureUpdateKey update = new FeatureUpdateKey().setMaxVersionLevel((short) level);
    if (version == 0) {
      update.setAllowDowngrade(type > 1);
    } else {
      update.setUpgradeType((byte) type);
    }
    return ask(version, update, false).response();
  }

  @Test
  void aFeatureIsTakenDownAndUp() {
    for (int version = 0; version <= 2; version++) {
      assertEquals(0, update(version, 0, 2).errorCode());
      assertEquals(0, cluster.image().feature(FEATURE));
      assertEquals(0, update(version, 2, 1).errorCode());
      assertEquals(2, cluster.image().feature(FEATURE));
    }
  }

  @Test
  void anErrorIsThatOfTheWholeRequest() {
    for (int version = 0; version <= 2; version++) {
      UpdateFeaturesResponseData answer = update(version, 1, 1);
      assertEquals(ErrorCode.INVALID_UPDATE_VERSION.code(), answer.errorCode());
      assertTrue(answer.results().isEmpty());
      assertEquals(2, cluster.image().feature(FEATURE));
    }
  }

  @Test
  void aQuestionChangesNothingAndAnUnknownTypeIsRefused() {
    FeatureUpdateKey down = new FeatureUpdateKey().setUpgradeType((byte) 3);
    UpdateFeaturesResponseData answer = ask(2, down, true).response();
    assertEquals(0, answer.errorCode());
    assertEquals(2, cluster.image().feature(FEATURE));
    FeatureUpdateKey odd = new FeatureUpdateKey().setUpgradeType((byte) 4);
    assertEquals(ErrorCode.INVALID_REQUEST, ask(2, odd, false).refusal());
  }
}
