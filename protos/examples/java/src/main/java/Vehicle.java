import com.google.protobuf.Any;
import com.google.protobuf.InvalidProtocolBufferException;
import com.google.rpc.ErrorInfo;
import com.google.rpc.RetryInfo;
import io.grpc.ChannelCredentials;
import io.grpc.Grpc;
import io.grpc.ManagedChannel;
import io.grpc.Metadata;
import io.grpc.StatusRuntimeException;
import io.grpc.TlsChannelCredentials;
import io.grpc.protobuf.StatusProto;
import io.grpc.stub.MetadataUtils;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import metip.common.v1.AccessContext;
import metip.common.v1.Vrm;
import metip.options.v1.Purpose;
import metip.pnc.v1.GetVehicleRequest;
import metip.pnc.v1.GetVehicleResponse;
import metip.pnc.v1.VehicleEnquiryServiceGrpc;
import metip.pnc.v1.VehicleReport;

/** A consumer: asks about a vehicle with certificate, officer token, purpose and deadline, and says what an answer or a refusal holds. */
public final class Vehicle {
  private static final long DEADLINE_SECONDS = 5;

  private record Question(String vrm, Purpose purpose) {}

  private static final List<Question> QUESTIONS =
      List.of(
          new Question("KE01CVV", Purpose.PURPOSE_STREET_STOP),
          new Question("QQ99QQQ", Purpose.PURPOSE_STREET_STOP),
          new Question("KE01CVV", Purpose.PURPOSE_LICENSING_VETTING));

  public static void main(String[] arguments) throws IOException {
    Path home = Path.of(setting("METIP_HOME", ".metip"));
    String token = Files.readString(Path.of(setting("METIP_TOKEN_FILE", home.resolve("token").toString()))).strip();
    Metadata headers = new Metadata();
    headers.put(Metadata.Key.of("authorization", Metadata.ASCII_STRING_MARSHALLER), "Bearer " + token);
    ManagedChannel channel = Grpc.newChannelBuilder(setting("METIP_EDGE", "localhost:8443"), identity(home)).build();
    try {
      var service =
          VehicleEnquiryServiceGrpc.newBlockingStub(channel)
              .withInterceptors(MetadataUtils.newAttachHeadersInterceptor(headers));
      for (Question question : QUESTIONS) {
        GetVehicleRequest request =
            GetVehicleRequest.newBuilder()
                .setAccess(
                    AccessContext.newBuilder()
                        .setPurpose(question.purpose())
                        .setReference("2345/23NOV26")
                        .setJustification("Vehicle stopped on the street."))
                .setVrm(Vrm.newBuilder().setValue(question.vrm()))
                .build();
        String words;
        try {
          words = told(service.withDeadlineAfter(DEADLINE_SECONDS, TimeUnit.SECONDS).getVehicle(request));
        } catch (StatusRuntimeException error) {
          words = refused(error);
        }
        System.out.println(question.vrm() + ": " + words);
      }
    } finally {
      channel.shutdownNow();
    }
  }

  private static String told(GetVehicleResponse answer) {
    var vehicle = answer.getVehicle();
    List<String> words = new ArrayList<>();
    words.add(vehicle.getMake() + " " + vehicle.getModel() + ", " + vehicle.getColour());
    words.add(answer.getTaxed() ? "taxed" : "not taxed");
    words.add(answer.getInsured() ? "insured" : "not insured");
    for (VehicleReport report : answer.getReportsList()) {
      String kind = report.getType().name().replaceFirst("^VEHICLE_REPORT_TYPE_", "");
      words.add(kind + " (" + report.getHandling().name().replaceFirst("^HANDLING_", "") + ")");
    }
    return String.join(", ", words);
  }

  private static String refused(StatusRuntimeException error) throws InvalidProtocolBufferException {
    List<String> words = new ArrayList<>(List.of(error.getStatus().getCode().name()));
    var status = StatusProto.fromThrowable(error);
    for (Any detail : status == null ? List.<Any>of() : status.getDetailsList()) {
      if (detail.is(ErrorInfo.class)) {
        ErrorInfo info = detail.unpack(ErrorInfo.class);
        words.add(info.getReason() + " of " + info.getDomain());
        new TreeMap<>(info.getMetadataMap()).forEach((key, value) -> {
          if (!key.equals("call_id")) {
            words.add(key + " " + value);
          }
        });
      } else if (detail.is(RetryInfo.class)) {
        words.add("repeat after " + detail.unpack(RetryInfo.class).getRetryDelay().getSeconds() + " s");
      }
    }
    return String.join(", ", words);
  }

  private static ChannelCredentials identity(Path home) throws IOException {
    Path folder = home.resolve("identity");
    Path consumer = folder.resolve(setting("METIP_CONSUMER", "developer"));
    return TlsChannelCredentials.newBuilder()
        .trustManager(folder.resolve("ca.pem").toFile())
        .keyManager(consumer.resolve("cert.pem").toFile(), consumer.resolve("key.pem").toFile())
        .build();
  }

  private static String setting(String name, String otherwise) {
    return System.getenv().getOrDefault(name, otherwise);
  }
}
