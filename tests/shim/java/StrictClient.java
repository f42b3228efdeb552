import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.MapperFeature;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.json.JsonMapper;
import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;

/**
 * Reads replies into classes made from the document's tables, where a member that the class lacks
 * and a value of another type are errors. Standard input: call, tab, reply; a line for each.
 */
public class StrictClient {
    public static class Rect {
        public Integer x, y, width, height;
    }

    public static class Face {
        public Rect rect;
    }

    public static class FaceItem {
        public Face face;
    }

    public static class Detect {
        public String errorcode, errormsg;
        public List<FaceItem> faces;
    }

    public static class Compare {
        public String errorcode, errmsg, similarity, ref_thres;
    }

    public static class Biodetect {
        public String errorcode, errmsg, bio_score, time, face_detect_result, is_alive;
    }

    public static class Image {
        public String content_type, data;
    }

    public static class Erasemark {
        public String errorcode, errmsg, time;
        public Image image;
    }

    private static final Map<String, Class<?>> REPLIES =
            Map.of(
                    "detect", Detect.class,
                    "compare", Compare.class,
                    "biodetect", Biodetect.class,
                    "erasemark", Erasemark.class);

    public static void main(String[] arguments) throws Exception {
        ObjectMapper mapper =
                JsonMapper.builder()
                        .enable(DeserializationFeature.FAIL_ON_UNKNOWN_PROPERTIES)
                        .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
                        .disable(DeserializationFeature.ACCEPT_FLOAT_AS_INT)
                        .disable(MapperFeature.ALLOW_COERCION_OF_SCALARS)
                        .build();
        BufferedReader lines =
                new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        int count = 0;
        for (String line = lines.readLine(); line != null; line = lines.readLine()) {
            String[] parts = line.split("\t", 2);
            mapper.readValue(parts[1], REPLIES.get(parts[0]));
            count++;
        }
        System.out.println(count);
    }
}
