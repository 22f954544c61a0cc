// A consumer: asks about a vehicle with certificate, officer token, purpose and deadline, and says what an answer or a refusal holds.
package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"log"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	commonv1 "example.org/metip/contracts/metip/common/v1"
	optionsv1 "example.org/metip/contracts/metip/options/v1"
	pncv1 "example.org/metip/contracts/metip/pnc/v1"
	"google.golang.org/genproto/googleapis/rpc/code"
	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
)

const deadline = 5 * time.Second

var questions = []struct {
	vrm     string
	purpose optionsv1.Purpose
}{
	{"KE01CVV", optionsv1.Purpose_PURPOSE_STREET_STOP},
	{"QQ99QQQ", optionsv1.Purpose_PURPOSE_STREET_STOP},
	{"KE01CVV", optionsv1.Purpose_PURPOSE_LICENSING_VETTING},
}

func main() {
	home := setting("METIP_HOME", ".metip")
	token := strings.TrimSpace(string(read(setting("METIP_TOKEN_FILE", filepath.Join(home, "token")))))
	channel, err := grpc.NewClient(setting("METIP_EDGE", "localhost:8443"), grpc.WithTransportCredentials(identity(home)))
	if err != nil {
		log.Fatal(err)
	}
	defer channel.Close()
	service := pncv1.NewVehicleEnquiryServiceClient(channel)
	for _, question := range questions {
		ctx, cancel := context.WithTimeout(context.Background(), deadline)
		ctx = metadata.AppendToOutgoingContext(ctx, "authorization", "Bearer "+token)
		answer, err := service.GetVehicle(ctx, &pncv1.GetVehicleRequest{
			Access: &commonv1.AccessContext{
				Purpose:       question.purpose,
				Reference:     "2345/23NOV26",
				Justification: "Vehicle stopped on the street.",
			},
			Key: &pncv1.GetVehicleRequest_Vrm{Vrm: &commonv1.Vrm{Value: question.vrm}},
		})
		cancel()
		if err != nil {
			fmt.Printf("%s: %s\n", question.vrm, refused(err))
		} else {
			fmt.Printf("%s: %s\n", question.vrm, told(answer))
		}
	}
}

func told(answer *pncv1.GetVehicleResponse) string {
	vehicle := answer.GetVehicle()
	words := []string{
		fmt.Sprintf("%s %s, %s", vehicle.GetMake(), vehicle.GetModel(), vehicle.GetColour()),
		either(answer.GetTaxed(), "taxed"),
		either(answer.GetInsured(), "insured"),
	}
	for _, report := range answer.GetReports() {
		kind := strings.TrimPrefix(report.GetType().String(), "VEHICLE_REPORT_TYPE_")
		words = append(words, fmt.Sprintf("%s (%s)", kind, strings.TrimPrefix(report.GetHandling().String(), "HANDLING_")))
	}
	return strings.Join(words, ", ")
}

func refused(err error) string {
	found := status.Convert(err)
	// The name as gRPC's documents have it: NOT_FOUND, where Go says NotFound.
	words := []string{code.Code(found.Code()).String()}
	for _, detail := range found.Details() {
		switch one := detail.(type) {
		case *errdetails.ErrorInfo:
			words = append(words, fmt.Sprintf("%s of %s", one.GetReason(), one.GetDomain()))
			keys := make([]string, 0, len(one.GetMetadata()))
			for key := range one.GetMetadata() {
				if key != "call_id" {
					keys = append(keys, key)
				}
			}
			slices.Sort(keys)
			for _, key := range keys {
				words = append(words, key+" "+one.GetMetadata()[key])
			}
		case *errdetails.RetryInfo:
			words = append(words, fmt.Sprintf("repeat after %d s", one.GetRetryDelay().GetSeconds()))
		}
	}
	return strings.Join(words, ", ")
}

func identity(home string) credentials.TransportCredentials {
	folder := filepath.Join(home, "identity")
	consumer := filepath.Join(folder, setting("METIP_CONSUMER", "developer"))
	own, err := tls.LoadX509KeyPair(filepath.Join(consumer, "cert.pem"), filepath.Join(consumer, "key.pem"))
	if err != nil {
		log.Fatal(err)
	}
	authorities := x509.NewCertPool()
	if !authorities.AppendCertsFromPEM(read(filepath.Join(folder, "ca.pem"))) {
		log.Fatal("ca.pem holds no certificate")
	}
	return credentials.NewTLS(&tls.Config{Certificates: []tls.Certificate{own}, RootCAs: authorities, MinVersion: tls.VersionTLS13})
}

func setting(name, otherwise string) string {
	if value, given := os.LookupEnv(name); given {
		return value
	}
	return otherwise
}

func read(path string) []byte {
	content, err := os.ReadFile(path)
	if err != nil {
		log.Fatal(err)
	}
	return content
}

func either(holds bool, word string) string {
	if holds {
		return word
	}
	return "not " + word
}
