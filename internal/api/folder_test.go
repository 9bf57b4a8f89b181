package api_test

import (
	"fmt"
	"testing"

	"github.com/hallpass-dev/hallpass/internal/server"
)

// TestFolderDepth nests folders as deep as the setting allows, without counting the folder
// at the root, by creating them and by moving them.
func TestFolderDepth(t *testing.T) {
	for _, depth := range []int{0, 1, 4, 7} {
		t.Run(fmt.Sprint(depth), func(t *testing.T) {
			x := newSession(t, func(c *server.Config) {
				if depth > 0 {
					c.Folder.MaxNestedFolderDepth = depth
				}
			})
			chain := depth + 1
			if depth == 0 {
				chain = 5 // with the default setting
			}
			parent := ""
			for i := 1; i <= chain; i++ {
				uid := fmt.Sprintf("f%d", i)
				x.run(step{"POST", "/api/folders", fmt.Sprintf(`{"uid":"%s","title":"F","parentUid":"%s"}`, uid, parent), 200, "", ""})
				parent = uid
			}
			x.run(
				step{"POST", "/api/folders", fmt.Sprintf(`{"uid":"more","title":"F","parentUid":"%s"}`, parent), 400, `messageId "folder.maximum-depth-reached"`, ""},
				step{"GET", "/api/folders/" + parent, "", 200, fmt.Sprintf("parents.# %d; parents[0].uid \"f1\"", chain-1), ""},
				step{"POST", "/api/dashboards/db", fmt.Sprintf(`{"dashboard":{"uid":"d","title":"D"},"folderUid":"%s"}`, parent), 200, "", ""},
				step{"GET", "/api/dashboards/uid/d", "", 200, fmt.Sprintf(`meta.folderUid "%s"`, parent), ""},
				step{"POST", "/api/folders", `{"uid":"top","title":"F"}`, 200, "", ""},
				step{"POST", "/api/folders/f1/move", `{"parentUid":"top"}`, 400, `messageId "folder.maximum-depth-reached"`, ""},
				step{"POST", "/api/folders/top/move", fmt.Sprintf(`{"parentUid":"%s"}`, parent), 400, `messageId "folder.maximum-depth-reached"`, ""},
			)
			if chain > 2 {
				x.run(step{"POST", "/api/folders/f2/move", `{"parentUid":"top"}`, 200, `parentUid "top"`, ""}, step{"GET", "/api/folders/" + parent, "", 200, fmt.Sprintf("parents.# %d", chain-1), ""})
			}
		})
	}
}

// TestFolderDepthLowered lowers the setting below the depth of folders that exist. They can
// still be read, moved up and deleted.
func TestFolderDepthLowered(t *testing.T) {
	x := newSession(t, func(c *server.Config) { c.Folder.MaxNestedFolderDepth = 7 })
	parent := ""
	for i := range 8 {
		x.run(step{"POST", "/api/folders", fmt.Sprintf(`{"uid":"f%d","title":"F","parentUid":"%s"}`, i, parent), 200, "", ""})
		parent = fmt.Sprintf("f%d", i)
	}
	x.s.Restart(func(c *server.Config) { c.Folder.MaxNestedFolderDepth = 1 })
	x.run(
		step{"GET", "/api/folders/f7", "", 200, "parents.# 7", ""}, step{"GET", "/api/search?type=dash-folder", "", 200, "# 8", ""},
		step{"PUT", "/api/folders/f7", `{"title":"G","overwrite":true}`, 200, "", ""},
		step{"POST", "/api/folders/f7/move", `{"parentUid":"f5"}`, 400, "", ""}, step{"POST", "/api/folders/f7/move", `{"parentUid":"f0"}`, 200, "", ""},
		step{"DELETE", "/api/folders/f0", "", 200, "", ""}, step{"GET", "/api/search?type=dash-folder", "", 200, "# 0", ""},
	)
}
