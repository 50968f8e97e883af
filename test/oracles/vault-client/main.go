// Sigstore's own client of Vault, as a plugin of cosign, for builds of cosign that leave it out: it is installed as
// sigstore-kms-hashivault.
package main

import (
	"fmt"
	"os"

	"github.com/sigstore/sigstore/pkg/signature/kms/cliplugin/common"
	"github.com/sigstore/sigstore/pkg/signature/kms/cliplugin/handler"
	"github.com/sigstore/sigstore/pkg/signature/kms/hashivault"
)

func main() {
	if err := run(); err != nil {
		_ = handler.WriteErrorResponse(os.Stdout, err)
		os.Exit(1)
	}
}

func run() error {
	if len(os.Args) < 3 || os.Args[1] != common.ProtocolVersion {
		return fmt.Errorf("not asked in version %s of the protocol", common.ProtocolVersion)
	}
	args, err := handler.GetPluginArgs(os.Args)
	if err != nil {
		return err
	}
	key, err := hashivault.LoadSignerVerifier(hashivault.ReferenceScheme+args.InitOptions.KeyResourceID, args.InitOptions.HashFunc)
	if err != nil {
		return err
	}
	// It has written the error.
	_, _ = handler.Dispatch(os.Stdout, os.Stdin, args, key)
	return nil
}
