/* SPDX-License-Identifier: ISC */
#include <string.h>
#include <strings.h>

#include "mail/dsn_impl.h"

#define ANY 0xffff

#define TYPO "Look for a typing error, or ask the recipient for the right address."
#define ADMIN "The administrator of this machine can mend that: show this report."
#define OTHER_WAY "Tell the recipient in another way."

/*
 * RFC 3463 in words for people. The first row whose subject and detail are the status', and one of
 * whose words (between bars) is in what was said, counts.
 */
static const struct {
	unsigned short subject, detail;
	const char *words; /* NULL: whatever was said */
	struct dsn_meaning meaning;
} rows[] = {
    {1, 1, NULL, {"There is no such mailbox.", TYPO}},
    {1, 2, NULL, {"There is no such domain (what stands behind the @).", TYPO}},
    {1, 3, NULL, {"This is not an address.", TYPO}},
    {1, 6, NULL, {"The mailbox has moved.", "Ask the recipient for the new address."}},
    {1, 7, NULL, {"The server does not like the sender's address.", ADMIN}},
    {1, 8, NULL, {"The server does not like the sender's address.", ADMIN}},
    {1, 10, NULL, {"That domain takes no mail.", TYPO}},
    {1, ANY, NULL, {"The server does not take this address.", TYPO}},
    {2, 1, NULL, {"The mailbox takes no mail.", OTHER_WAY}},
    {2, 2, NULL, {"The mailbox is full.", "Send it again when the recipient has made room."}},
    {2, 3, NULL, {"The message is too large for that mailbox.", "Send a smaller one."}},
    {2, ANY, NULL, {"Something is wrong with the mailbox.", OTHER_WAY}},
    {3, 4, NULL, {"The message is too large for the server.", "Send a smaller one."}},
    {3, 5, NULL, {"A mail system is not set up right.", ADMIN}},
    {3, ANY, NULL, {"The server has troubles of its own.", "Send it again later."}},
    {4, 1, NULL, {"The server could not be reached.", "Send it again later."}},
    {4, 2, NULL, {"The connection to the server broke off.", "Send it again later."}},
    {4, 3, NULL, {"The domain's servers could not be looked up (DNS).", "Send it again later."}},
    {4, 4, NULL, {"There is no such domain, or it has no mail server.", TYPO}},
    {4, 6, NULL, {"Servers would send the mail to each other for ever.", ADMIN}},
    {4, ANY, NULL,
	{"The network between here and the server has troubles.", "Send it again later."}},
    {5, 3, NULL, {"That is more recipients than the server takes.", "Send it to fewer at once."}},
    {5, ANY, NULL, {"The server and this machine do not understand each other.", ADMIN}},
    {6, 7, NULL,
	{"The server does not take addresses with letters beyond a to z.",
	    "Ask the recipient for another address."}},
    {6, ANY, NULL, {"The server cannot take this kind of content.", "Send it in another form."}},
    {7, 1, "relay|authentication required|authenticate|log in|login",
	{"The server does not pass on mail from here: it wants an account, or is the wrong server.",
	    ADMIN}},
    {7, ANY, "spam|block|listed|blacklist|reputation|virus|malware",
	{"The server takes the message, or this machine, for a source of spam. What it said often "
	 "names the list, and where to get off it.",
	    ADMIN}},
    {7, 4, NULL, {"The connection cannot be secured as it must be (TLS).", ADMIN}},
    {7, 5, NULL, {"The connection cannot be secured as it must be (TLS).", ADMIN}},
    {7, 8, NULL, {"The account at the server, or its password, is wrong.", ADMIN}},
    {7, 9, NULL, {"The account at the server cannot be used this way.", ADMIN}},
    {7, 10, NULL, {"The connection cannot be secured as it must be (TLS).", ADMIN}},
    {7, 11, NULL, {"The account at the server cannot be used this way.", ADMIN}},
    {7, 21, NULL, {"The message is not signed as the server demands (DKIM).", ADMIN}},
    {7, 22, NULL, {"The message is not signed as the server demands (DKIM).", ADMIN}},
    {7, 24, NULL, {"This machine may not send for the sender's domain (SPF).", ADMIN}},
    {7, 20, NULL, {"The message is not signed as the server demands (DKIM).", ADMIN}},
    {7, 23, NULL, {"This machine may not send for the sender's domain (SPF).", ADMIN}},
    {7, 25, NULL, {"The name of this machine in the DNS is not as it must be.", ADMIN}},
    {7, 26, NULL, {"This machine may not send for the sender's domain (SPF, DKIM, DMARC).", ADMIN}},
    {7, 30, NULL,
	{"The message demands a secured way, and there is none (REQUIRETLS).", OTHER_WAY}},
    {7, ANY, NULL, {"The server's rules do not allow this message.", ADMIN}},
    {0, ANY, "no such|unknown|not found|does not exist|doesn't exist|invalid recipient",
	{"There is probably no such mailbox.", TYPO}},
    {0, ANY, "spam|block|listed|blacklist|reputation",
	{"The server probably takes it for spam.", ADMIN}},
    {0, ANY, "quota|full", {"The mailbox is probably full.", OTHER_WAY}},
    {ANY, ANY, NULL, {"The server does not take it; the reason is in its own words.", OTHER_WAY}},
};

static bool
contains(const char *text, const char *word, size_t len)
{
	for (; *text != '\0'; text++)
		if (strncasecmp(text, word, len) == 0)
			return true;
	return false;
}

static bool
any_word(const char *text, const char *words)
{
	for (;; words++) {
		size_t len = strcspn(words, "|");
		if (contains(text, words, len))
			return true;
		words += len;
		if (*words == '\0')
			return false;
	}
}

struct dsn_meaning
dsn_explain(const struct dsn_said *said)
{
	struct status st = said->status;
	size_t i;

	for (i = 0; rows[i].subject != ANY; i++)
		if (rows[i].subject == st.subject &&
		    (rows[i].detail == ANY || rows[i].detail == st.detail) &&
		    (rows[i].words == NULL || any_word(said->text, rows[i].words)))
			break;
	return rows[i].meaning;
}
