package sun.misc;

import java.util.Base64;

/** Stands in for the class that Java 9 removed: a line break after every 57 bytes of input. */
public class BASE64Encoder {
    private static final int BYTES_PER_LINE = 57;

    public String encode(byte[] data) {
        String lineEnd = System.getProperty("line.separator");
        StringBuilder text = new StringBuilder();
        for (int start = 0; start < data.length; start += BYTES_PER_LINE) {
            int length = Math.min(BYTES_PER_LINE, data.length - start);
            byte[] line = new byte[length];
            System.arraycopy(data, start, line, 0, length);
            text.append(Base64.getEncoder().encodeToString(line));
            if (length == BYTES_PER_LINE) {
                text.append(lineEnd);
            }
        }
        return text.toString();
    }
}
