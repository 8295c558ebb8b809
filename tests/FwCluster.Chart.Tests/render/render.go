// Renders and checks a Helm chart where no Helm can be installed: a chart is templates of Go's text/template with the functions of
// sprig, and both are packages of the distribution (test.sh installs them). What Helm adds to them is here: values and their schema,
// include, tpl, required, lookup and the YAML functions, the objects that templates see.
//
//	render [-name N] [-namespace NS] [-f FILE]... [-set K=V]... [-objects FILE] [-upgrade] CHART
//
// Prints the documents, each behind a line "# Source: ...", and NOTES.txt as the last. -objects has what lookup finds, YAML
// documents as the cluster's API would return them. Ends with 1 and a message where Helm would refuse.
package main

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"sort"
	"strconv"
	"strings"
	"text/template"

	"github.com/Masterminds/sprig"
	"github.com/xeipuuv/gojsonschema"
	"sigs.k8s.io/yaml"
)

type table = map[string]interface{}

type words []string

func (w *words) String() string     { return strings.Join(*w, ",") }
func (w *words) Set(s string) error { *w = append(*w, s); return nil }

// chartFiles is what .Files offers: everything of the chart that is no template.
type chartFiles map[string]string

func (f chartFiles) Get(name string) string { return f[name] }

// apiVersions is .Capabilities.APIVersions.
type apiVersions []string

func (a apiVersions) Has(version string) bool {
	for _, have := range a {
		if have == version {
			return true
		}
	}
	return false
}

func main() {
	var valueFiles, sets words
	name := flag.String("name", "fw", "the release's name")
	namespace := flag.String("namespace", "firewall", "its namespace")
	objects := flag.String("objects", "", "what lookup finds")
	upgrade := flag.Bool("upgrade", false, "an upgrade, not an installation")
	flag.Var(&valueFiles, "f", "a file of values")
	flag.Var(&sets, "set", "a value")
	flag.Parse()
	if flag.NArg() != 1 {
		flag.Usage()
		os.Exit(2)
	}
	chart, err := load(flag.Arg(0))
	if err == nil {
		err = chart.readValues(valueFiles, sets)
	}
	if err == nil {
		err = chart.readObjects(*objects)
	}
	var out string
	if err == nil {
		out, err = chart.render(*name, *namespace, *upgrade)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "Error:", err)
		os.Exit(1)
	}
	fmt.Print(out)
}

type chart struct {
	about     table
	values    table
	schema    []byte
	files     chartFiles
	templates map[string]string
	existing  []table
}

func load(folder string) (*chart, error) {
	c := &chart{files: chartFiles{}, templates: map[string]string{}}
	err := filepath.Walk(folder, func(path string, info os.FileInfo, err error) error {
		if err != nil || info.IsDir() {
			return err
		}
		content, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		short, _ := filepath.Rel(folder, path)
		switch {
		case short == "Chart.yaml":
			return strict(short, content, &c.about)
		case short == "values.yaml":
			return strict(short, content, &c.values)
		case short == "values.schema.json":
			c.schema = content
		case strings.HasPrefix(short, "templates/"):
			c.templates[short] = string(content)
		default:
			c.files[short] = string(content)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	for _, key := range []string{"apiVersion", "name", "version", "appVersion"} {
		if s, _ := c.about[key].(string); s == "" {
			return nil, fmt.Errorf("Chart.yaml: %s is missing, or no text", key)
		}
	}
	return c, nil
}

func strict(file string, content []byte, into *table) error {
	if err := yaml.UnmarshalStrict(content, into); err != nil {
		return fmt.Errorf("%s: %w", file, err)
	}
	return nil
}

func (c *chart) readValues(valueFiles, sets []string) error {
	for _, file := range valueFiles {
		content, err := os.ReadFile(file)
		if err != nil {
			return err
		}
		var more table
		if err := strict(file, content, &more); err != nil {
			return err
		}
		merge(c.values, more)
	}
	for _, set := range sets {
		at := strings.Index(set, "=")
		if at < 0 {
			return fmt.Errorf("-set %s: there is no '='", set)
		}
		var value interface{} = set[at+1:]
		if number, err := strconv.ParseInt(set[at+1:], 10, 64); err == nil {
			value = float64(number)
		} else if set[at+1:] == "true" || set[at+1:] == "false" {
			value = set[at+1:] == "true"
		}
		path := strings.Split(set[:at], ".")
		for i := len(path) - 1; i >= 0; i-- {
			value = table{path[i]: value}
		}
		merge(c.values, value.(table))
	}
	if c.schema == nil {
		return nil
	}
	text, err := json.Marshal(c.values)
	if err != nil {
		return err
	}
	result, err := gojsonschema.Validate(gojsonschema.NewBytesLoader(c.schema), gojsonschema.NewBytesLoader(text))
	if err != nil {
		return fmt.Errorf("values.schema.json: %w", err)
	}
	if !result.Valid() {
		message := "values don't meet the specifications of the schema(s):"
		for _, problem := range result.Errors() {
			message += "\n- " + problem.String()
		}
		return fmt.Errorf("%s", message)
	}
	return nil
}

// merge puts values over others; null takes one away.
func merge(into, more table) {
	for key, value := range more {
		have, isTable := into[key].(table)
		if below, ok := value.(table); ok && isTable {
			merge(have, below)
		} else if value == nil {
			delete(into, key)
		} else {
			into[key] = value
		}
	}
}

func (c *chart) readObjects(file string) error {
	if file == "" {
		return nil
	}
	content, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	for _, document := range strings.Split("\n"+string(content), "\n---") {
		var object table
		if err := yaml.Unmarshal([]byte(document), &object); err != nil {
			return fmt.Errorf("%s: %w", file, err)
		}
		if object != nil {
			c.existing = append(c.existing, object)
		}
	}
	return nil
}

func (c *chart) lookup(version, kind, namespace, name string) (table, error) {
	for _, object := range c.existing {
		about, _ := object["metadata"].(table)
		if object["apiVersion"] == version && object["kind"] == kind && about["name"] == name && (about["namespace"] == nil || about["namespace"] == namespace) {
			return object, nil
		}
	}
	return table{}, nil
}

func (c *chart) render(name, namespace string, upgrade bool) (string, error) {
	root := template.New("chart").Option("missingkey=zero")
	root.Funcs(c.functions(root))
	var names []string
	for file, text := range c.templates {
		if _, err := root.New(c.path(file)).Parse(text); err != nil {
			return "", err
		}
		names = append(names, file)
	}
	sort.Strings(names)
	about := table{}
	for key, value := range c.about {
		about[strings.ToUpper(key[:1])+key[1:]] = value
	}
	var out, notes strings.Builder
	for _, file := range names {
		if strings.HasPrefix(filepath.Base(file), "_") {
			continue
		}
		var text bytes.Buffer
		err := root.ExecuteTemplate(&text, c.path(file), table{
			"Values":   c.values,
			"Chart":    about,
			"Files":    c.files,
			"Release":  table{"Name": name, "Namespace": namespace, "IsInstall": !upgrade, "IsUpgrade": upgrade, "Revision": 1, "Service": "Helm"},
			"Template": table{"Name": c.path(file), "BasePath": c.path("templates")},
			"Capabilities": table{
				"KubeVersion": table{"Version": "v1.31.0", "Major": "1", "Minor": "31", "GitVersion": "v1.31.0"},
				"APIVersions": apiVersions{"v1", "apps/v1", "policy/v1", "batch/v1", "networking.k8s.io/v1"},
			},
		})
		if err != nil {
			return "", err
		}
		rendered := strings.ReplaceAll(text.String(), "<no value>", "")
		if filepath.Base(file) == "NOTES.txt" {
			fmt.Fprintf(&notes, "---\n# Source: %s\n%s", c.path(file), rendered)
			continue
		}
		for _, document := range strings.Split("\n"+rendered, "\n---") {
			if strings.TrimSpace(document) == "" {
				continue
			}
			var parsed table
			if err := strict(c.path(file), []byte(document), &parsed); err != nil {
				return "", fmt.Errorf("%w\n%s", err, document)
			}
			if parsed != nil {
				fmt.Fprintf(&out, "---\n# Source: %s\n%s\n", c.path(file), strings.TrimSpace(document))
			}
		}
	}
	return out.String() + notes.String(), nil
}

func (c *chart) path(file string) string { return c.about["name"].(string) + "/" + file }

func (c *chart) functions(root *template.Template) template.FuncMap {
	all := sprig.TxtFuncMap()
	delete(all, "env")
	delete(all, "expandenv")
	all["include"] = func(name string, data interface{}) (string, error) {
		var text strings.Builder
		err := root.ExecuteTemplate(&text, name, data)
		return text.String(), err
	}
	all["tpl"] = func(text string, data interface{}) (string, error) {
		copied, err := root.Clone()
		if err == nil {
			copied, err = copied.New("tpl").Parse(text)
		}
		var out strings.Builder
		if err == nil {
			err = copied.Execute(&out, data)
		}
		return out.String(), err
	}
	all["required"] = func(message string, value interface{}) (interface{}, error) {
		if value == nil || value == "" {
			return nil, fmt.Errorf("%s", message)
		}
		return value, nil
	}
	all["lookup"] = c.lookup
	all["toYaml"] = func(value interface{}) string {
		text, _ := yaml.Marshal(value)
		return strings.TrimSuffix(string(text), "\n")
	}
	all["fromYamlArray"] = func(text string) []interface{} {
		var value []interface{}
		if err := yaml.Unmarshal([]byte(text), &value); err != nil {
			return []interface{}{err.Error()}
		}
		return value
	}
	all["fromYaml"] = func(text string) table {
		var value table
		if err := yaml.Unmarshal([]byte(text), &value); err != nil {
			return table{"Error": err.Error()}
		}
		return value
	}
	return all
}
