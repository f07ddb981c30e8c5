//! What a client's certificate proves.

use super::at::At;
use super::needs::Needs;
use super::notes::Notes;
use super::parts::Manager;

/// Looks at the TLS of a listener's chain that has the filter.
pub(super) fn check(manager: &Manager<'_>, needs: &Needs, notes: &mut Notes) {
    let Some(context) = common(&manager.chain) else {
        if needs.certificate {
            notes.warning(&manager.chain, "the policy identifies by certificates, and this chain has no TLS: nobody is identified by one");
        }
        return;
    };
    let combined = context.get("combined_validation_context");
    let combined = combined.as_ref();
    let Some(validation) = context
        .get("validation_context")
        .or_else(|| combined?.get("default_validation_context"))
    else {
        if needs.certificate
            && context
                .get("validation_context_sds_secret_config")
                .is_none()
        {
            notes.warning(&context, "the policy identifies by certificates, and no client is asked for one: it wants a validation_context");
        }
        return;
    };
    // Without a policy it may be one that identifies by certificates.
    if !needs.perhaps(needs.certificate) {
        return;
    }
    let key = "trust_chain_verification";
    if let Some(at) = validation
        .get(key)
        .filter(|_| validation.is_one(key, "ACCEPT_UNTRUSTED", 1))
    {
        notes.error_if(needs.certificate, &at, "a certificate that anybody made for himself is accepted, and names whatever tenant it likes; leave it out");
    }
    let vouched = [
        "trusted_ca",
        "ca_certificate_provider_instance",
        "system_root_certs",
        "verify_certificate_spki",
        "verify_certificate_hash",
        "custom_validator_config",
    ];
    let is_vouched = vouched.iter().any(|key| validation.get(key).is_some());
    if !is_vouched && combined.is_none() {
        notes.error_if(needs.certificate, &validation, "without a trusted_ca every certificate is accepted, also one that somebody made for himself");
    }
    let key = "allow_expired_certificate";
    if let Some(at) = validation.get(key).filter(|_| validation.is_true(key)) {
        notes.warning(&at, "certificates count long after they have ended");
    }
}

fn common<'v>(chain: &At<'v>) -> Option<At<'v>> {
    let (_, socket) = chain
        .get("transport_socket")?
        .get("typed_config")?
        .typed()?;
    let tls = socket.get("downstream_tls_context").unwrap_or(socket);
    tls.get("common_tls_context")
}
