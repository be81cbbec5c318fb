package io.afterimage.settings;

import java.util.List;
import javax.naming.InvalidNameException;
import javax.naming.ldap.LdapName;
import javax.naming.ldap.Rdn;
import javax.security.auth.x500.X500Principal;

/** Which certificates are meant: by their common name, or by the whole distinguished name. */
sealed interface CertificateSubject {

    /** Whether the subject of a certificate, a distinguished name in the form of RFC 2253, is meant. */
    boolean names(String subject);

    /** The only common name, letter by letter: part of a name, or one of several, is not enough. */
    record CommonName(String name) implements CertificateSubject {

        @Override
        public boolean names(String subject) {
            try {
                List<Object> names = new LdapName(subject)
                        .getRdns().stream().filter(part -> part.getType().equalsIgnoreCase("CN")).map(Rdn::getValue).toList();
                return names.equals(List.of(name));
            } catch (InvalidNameException _) {
                return false;
            }
        }
    }

    /** All parts, in order; case and space within them do not count, as X.500 has it. */
    record DistinguishedName(X500Principal name) implements CertificateSubject {

        @Override
        public boolean names(String subject) {
            return new X500Principal(subject).equals(name);
        }
    }

    /** Reads {@code anna} and {@code CN=anna,O=Example}. */
    static CertificateSubject parse(String text) {
        if (text.isEmpty()) {
            throw new IllegalArgumentException("the subject is missing");
        }
        if (!text.contains("=")) {
            return new CommonName(text);
        }
        try {
            return new DistinguishedName(new X500Principal(text));
        } catch (IllegalArgumentException e) {
            throw new IllegalArgumentException("'" + text + "' is no distinguished name", e);
        }
    }
}
